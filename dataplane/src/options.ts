import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { defaultLimits, type Limits } from './http1/limits.ts';

export type DataPlaneOptions = {
  /** https URL of the controller. */
  controller: string;
  /** Bearer token, or a file that holds it (read again at each attempt). */
  token: string | undefined;
  tokenFile: string | undefined;
  /** File with the CA certificate that the controller's certificate is checked against. */
  caFile: string | undefined;
  node: string;
  zone: string;
  /** Address that listeners bind to. */
  host: string;
  adminHost: string;
  adminPort: number;
  /** Worker threads. */
  workers: number;
  /** File for the last known good config; undefined: none is kept. */
  lastKnownGood: string | undefined;
  /** Milliseconds to wait for a controller before the last known good config is served. */
  lastKnownGoodWait: number;
  /** Milliseconds at shutdown in which everything is served still, but not announced as ready. */
  drainDelay: number;
  /** Milliseconds that running exchanges get after that. */
  drainTimeout: number;
  limits: Limits;
  /** A file or "-" for the standard output; undefined: no access log. */
  accessLog: string | undefined;
  logLevel: string;
};

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Limits by the flag that sets them. */
const limitFlags: Record<string, keyof Limits> = {
  'max-head-bytes': 'headBytes',
  'max-fields': 'fields',
  'max-target-bytes': 'targetBytes',
  'max-body-bytes': 'bodyBytes',
  'head-timeout-ms': 'headTimeout',
  'keep-alive-timeout-ms': 'keepAliveTimeout',
  'max-connections': 'connections',
};

/**
 * Parses the command line of a data plane.
 * @throws Error with the flag and what it expects.
 */
export function parseOptions(args: string[], env: NodeJS.ProcessEnv): DataPlaneOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      controller: text,
      'token-file': text,
      'ca-file': text,
      node: text,
      zone: text,
      host: text,
      'admin-host': text,
      'admin-port': text,
      workers: text,
      'log-level': text,
      'access-log': text,
      'last-known-good': text,
      'last-known-good-wait-ms': text,
      'drain-delay-ms': text,
      'drain-timeout-ms': text,
      ...Object.fromEntries(Object.keys(limitFlags).map((flag) => [flag, text])),
    },
  });
  const given = values as Record<string, string | undefined>;
  const number = (flag: string, fallback: number, least: number, most: number) => {
    const value = given[flag] === undefined ? fallback : Number(given[flag]);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(`Cannot use --${flag} "${given[flag]}": expected ${least} to ${most}`);
  };
  const limits = { ...defaultLimits };
  for (const [flag, limit] of Object.entries(limitFlags)) {
    limits[limit] = number(flag, limits[limit], 0, 2 ** 40);
  }
  if (!given.controller) throw new Error('Cannot start: --controller https://HOST:PORT is needed');
  const logLevel = given['log-level'] ?? 'info';
  if (!logLevels.includes(logLevel)) {
    throw new Error(
      `Cannot use --log-level "${logLevel}": expected one of ${logLevels.join(', ')}`,
    );
  }
  return {
    controller: given.controller,
    token: env.GATEHOUSE_TOKEN,
    tokenFile: given['token-file'],
    caFile: given['ca-file'],
    node: given.node ?? env.GATEHOUSE_NODE ?? hostname(),
    zone: given.zone ?? env.GATEHOUSE_ZONE ?? '',
    host: given.host ?? '0.0.0.0',
    adminHost: given['admin-host'] ?? '127.0.0.1',
    adminPort: number('admin-port', 9901, 0, 65535),
    workers: number('workers', 1, 1, 256),
    lastKnownGood: given['last-known-good'],
    lastKnownGoodWait: number('last-known-good-wait-ms', 500, 0, 600_000),
    drainDelay: number('drain-delay-ms', 0, 0, 3_600_000),
    drainTimeout: number('drain-timeout-ms', 10_000, 0, 3_600_000),
    limits,
    accessLog: given['access-log'],
    logLevel,
  };
}
