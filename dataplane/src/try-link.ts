import type { ResourceSet } from '@gatehouse/snapshot';
import { createKeySources } from './filters/auth/jwt/key-sources.ts';
import { type Outbound, OutboundFault } from './filters/outbound.ts';
import { createCounterMemory } from './filters/rate-limit/counters.ts';
import { createRedisStores } from './filters/rate-limit/redis/stores.ts';
import { createThreadState } from './filters/thread-state.ts';
import { type Linked, link } from './link/link.ts';
import { createTimerWheel } from './state/timer-wheel.ts';
import { createRegion, createSeries } from './telemetry/series.ts';
import { ownUpstreamTables } from './upstreams/shared/upstream-memory.ts';

/** Links a snapshot for whoever wants to look at it: nobody is asked, nothing opened or counted. */
export function tryLink(config: ResourceSet, endpoints: ResourceSet): Linked {
  const series = createSeries(createRegion(), () => undefined);
  const thread = createThreadState(createTimerWheel(), series, {
    counters: createCounterMemory(),
    upstreams: { tables: ownUpstreamTables(), threads: 1, report: () => undefined },
    denied: () => undefined,
    health: () => undefined,
  });
  const outbound: Outbound = {
    ask: () => Promise.reject(new OutboundFault('nobody is asked in a trial')),
  };
  const keySources = createKeySources(outbound, () => undefined);
  const redis = createRedisStores(() => undefined, false);
  // Without a commit nothing that policies run beside requests begins.
  return link(config, endpoints, undefined, { ...thread, outbound, keySources, redis });
}
