import { labelsText } from '../state/label-value.ts';
import type { TimerWheel } from '../state/timer-wheel.ts';
import type { Series } from '../telemetry/series.ts';
import type { Surroundings } from '../upstreams/surroundings.ts';
import { createPasswords, type Passwords } from './auth/basic/passwords.ts';
import { createKeySources, type KeySources } from './auth/jwt/key-sources.ts';
import { VerifiedTokens } from './auth/jwt/verified-tokens.ts';
import { createHealth, type Health, type Trouble } from './health.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { AdaptiveLimits, adaptiveFactor } from './rate-limit/adaptive/adaptive-limits.ts';
import {
  adaptiveTable,
  type CounterMemory,
  type Counters,
  createCounters,
  rateLimitOverflow,
} from './rate-limit/counters.ts';
import { createRedisStores, type RedisStores } from './rate-limit/redis/stores.ts';

/** What filters of a thread share, and what outlives the snapshot they were linked from. */
export type ThreadState = {
  wheel: TimerWheel;
  health: Health;
  passwords: Passwords;
  keySources: KeySources;
  verifiedTokens: VerifiedTokens;
  outbound: Outbound;
  counters: Counters;
  redis: RedisStores;
  adaptive: AdaptiveLimits;
  upstreams: Surroundings;
  /** Slot of a counter; `count` adds one to it. */
  counter(family: string, labels: Readonly<Record<string, string>>): number;
  count(slot: number): void;
  /** Writes a line about a request that was not let through; too many a second are only counted. */
  denied(entry: DeniedEntry): void;
};

export type DeniedEntry = {
  requestId: string;
  policy: string;
  rule: string;
  reason: string;
  shadow: boolean;
};

/** Lines a second; whoever is flooded with bad requests is not to be flooded with lines as well. */
const linesASecond = 100;

export function createThreadState(
  wheel: TimerWheel,
  series: Series,
  {
    counters,
    upstreams,
    ...report
  }: {
    counters: CounterMemory;
    upstreams: Pick<Surroundings, 'tables' | 'threads' | 'report'>;
    denied(entry: DeniedEntry & { unwritten: number }): void;
    health(all: Trouble[]): void;
  },
): ThreadState {
  let second = 0;
  let written = 0;
  let unwritten = 0;
  const outbound = createOutbound();
  const overflow = series.slot(rateLimitOverflow.name, '');

  function counter(family: string, labels: Readonly<Record<string, string>>): number {
    return series.slot(family, labelsText(labels));
  }

  function count(slot: number) {
    series.values[slot] = (series.values[slot] ?? 0) + 1;
  }

  return {
    wheel,
    health: createHealth(report.health),
    passwords: createPasswords(),
    keySources: createKeySources(outbound, (family, labels) => count(counter(family, labels))),
    verifiedTokens: new VerifiedTokens(),
    outbound,
    counters: createCounters(counters, () => count(overflow)),
    adaptive: new AdaptiveLimits(
      adaptiveTable(counters),
      (labels) => counter(adaptiveFactor.name, labels),
      (slot, value) => {
        series.values[slot] = value;
      },
    ),
    redis: createRedisStores((family, labels) => count(counter(family, labels))),
    upstreams: {
      ...upstreams,
      wheel,
      counter(family, labels) {
        const slot = counter(family, labels);
        return () => count(slot);
      },
    },
    counter,
    count,
    denied(entry) {
      const current = Math.floor(wheel.time() / 1000);
      if (current !== second) {
        second = current;
        written = 0;
      }
      if (written >= linesASecond) {
        unwritten++;
        return;
      }
      written++;
      report.denied({ ...entry, unwritten });
      unwritten = 0;
    },
  };
}
