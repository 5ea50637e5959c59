import { createHash } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Balancing, checkExpression, defaults } from '@gatehouse/crds';
import { Balancing_Algorithm, type BalancingSchema } from '@gatehouse/snapshot';
import { milliseconds } from './durations.ts';
import type { Report } from './status.ts';

type BalancingInit = MessageInitShape<typeof BalancingSchema>;

const numbers: Record<NonNullable<Balancing['algorithm']>, Balancing_Algorithm> = {
  RoundRobin: Balancing_Algorithm.ROUND_ROBIN,
  Random: Balancing_Algorithm.RANDOM,
  LeastRequest: Balancing_Algorithm.LEAST_REQUEST,
  PeakEwma: Balancing_Algorithm.PEAK_EWMA,
  RingHash: Balancing_Algorithm.RING_HASH,
  Maglev: Balancing_Algorithm.MAGLEV,
};

const mostTtl = 400 * 24 * 3600 * 1000;

/**
 * With any report the result must not be used.
 * @param identity of the Upstream, which clients do not know.
 */
export function compileBalancing(
  spec: Balancing,
  identity: string,
  path: string,
  report: Report,
): BalancingInit {
  const { algorithm = defaults.balancingAlgorithm, key, sticky, slowStart } = spec;
  if (key !== undefined) {
    const problem = checkExpression(key, 'header', 'identity');
    if (problem) {
      const { line, column, message } = problem;
      report(`${path}.key`, `line ${line}, column ${column}: ${message}`);
    }
  }
  const window = slowStart && milliseconds(slowStart.window, `${path}.slowStart.window`, report);
  if (window === 0) {
    report(`${path}.slowStart.window`, 'must be more than "0s"; leave slowStart out for none');
  }
  return {
    algorithm: numbers[algorithm],
    key: key ?? '',
    ...(sticky ? { sticky: compileSticky(sticky, identity, `${path}.sticky`, report) } : {}),
    slowStartMs: window ?? 0,
    slowStartMinPercent: slowStart ? (slowStart.minPercent ?? defaults.slowStartMinPercent) : 0,
    panicPercent: spec.panicThreshold ?? defaults.panicThreshold,
    anyZone: spec.zones === 'Ignore',
  };
}

function compileSticky(
  { cookie, path: cookiePath, ttl }: NonNullable<Balancing['sticky']>,
  identity: string,
  path: string,
  report: Report,
): BalancingInit['sticky'] {
  const length = ttl === undefined ? undefined : milliseconds(ttl, `${path}.ttl`, report);
  if (length !== undefined && (length < 1000 || length > mostTtl)) {
    // RFC 6265bis section 5.5: browsers keep no cookie for longer.
    report(`${path}.ttl`, `"${ttl}" must be from "1s" to "9600h"`);
  }
  return {
    cookie: cookie ?? defaults.stickyCookie,
    path: cookiePath ?? defaults.stickyPath,
    ttlSeconds: Math.floor((length ?? 0) / 1000),
    seed: createHash('sha256').update(`sticky session ${identity}`).digest(),
  };
}
