import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Trouble } from '../filters/health.ts';
import { createCounterMemory } from '../filters/rate-limit/counters.ts';
import { createThreadState, type DeniedEntry } from '../filters/thread-state.ts';
import { defaultLimits, type Limits } from '../http1/limits.ts';
import { llhttpOfThread } from '../http1/llhttp.ts';
import { link } from '../link/link.ts';
import { replacePolicies } from '../link/policies.ts';
import type { Runtime } from '../link/runtime.ts';
import { applyEndpoints, closeOthers } from '../link/upstreams.ts';
import { createPorts } from '../server/ports.ts';
import { TicketSeeds } from '../server/tls/ticket-keys.ts';
import { createTimerWheel } from '../state/timer-wheel.ts';
import { activeConnections } from '../telemetry/families.ts';
import { prometheusText } from '../telemetry/prometheus.ts';
import { createRecorder } from '../telemetry/recorder.ts';
import { createRegion, createSeries, type SeriesName } from '../telemetry/series.ts';
import { Oversight } from '../upstreams/oversight/oversight.ts';
import { ownUpstreamTables } from '../upstreams/shared/upstream-memory.ts';
import type { UpstreamEvent } from '../upstreams/surroundings.ts';
import type { RawBackend } from './backend.ts';
import { forwardRule, lanesOf, type TestSnapshot } from './snapshot.ts';

/** The real data path of one thread, without the threads and the controller around it. */
export type TestGateway = {
  port: number;
  /** Links a snapshot and serves by it. @throws Error when it is refused. */
  use(snapshot: TestSnapshot): Promise<void>;
  /** Client connections that are open. */
  connections(): number;
  /** The text of GET /metrics. */
  metrics(): string;
  /** What policies did not let through. */
  denials: readonly DeniedEntry[];
  /** What was told of upstreams. */
  events: readonly UpstreamEvent[];
  /** What is known of upstreams. */
  oversight: Oversight;
  /** What does not work at run time. */
  troubles(): readonly Trouble[];
  /** Closes everything and checks that nothing is left over and no bug was met. */
  close(): Promise<void>;
};

export type GatewayOptions = TestSnapshot & {
  limits?: Partial<Limits>;
  zone?: string;
  /** Of TLS session tickets; those of another thread when both are one data plane. */
  seeds?: TicketSeeds;
};

/** Starts a gateway that forwards everything to `backend`. */
export function startGatewayTo(
  backend: RawBackend,
  options: GatewayOptions = {},
): Promise<TestGateway> {
  return startGateway({
    rules: [forwardRule('backend')],
    upstreams: { backend: { endpoints: [{ port: backend.port }] } },
    ...options,
  });
}

export async function startGateway({
  limits,
  zone,
  seeds = new TicketSeeds(),
  ...snapshot
}: GatewayOptions): Promise<TestGateway> {
  const parsersBefore = llhttpOfThread().live();
  const wheel = createTimerWheel();
  const names: SeriesName[] = [];
  const bugs: unknown[] = [];
  const series = createSeries(createRegion(), (name) => names.push(name));
  const denials: DeniedEntry[] = [];
  const events: UpstreamEvent[] = [];
  const tables = ownUpstreamTables();
  let troubles: Trouble[] = [];
  const thread = createThreadState(wheel, series, {
    counters: createCounterMemory(),
    upstreams: { tables, threads: 1, report: (event) => events.push(event) },
    denied: (entry) => denials.push(entry),
    health: (all) => {
      troubles = all;
    },
  });
  const ports = createPorts({
    host: '127.0.0.1',
    limits: { ...defaultLimits, ...limits },
    wheel,
    recorder: createRecorder(series, (error) => {
      throw error;
    }),
    seeds,
  });
  const { counter, report } = thread.upstreams;
  const oversight = new Oversight({ tables, counter, report });
  let runtime: Runtime | undefined;
  const { port, release } = await reservePort();

  async function use(next: TestSnapshot) {
    const { config, endpoints } = lanesOf(next, port);
    const linked = link(config, endpoints, runtime, thread, zone);
    if ('refusals' in linked) throw new Error(JSON.stringify(linked.refusals));
    const problems = await ports.open(linked.runtime);
    if (problems.length > 0) {
      ports.discard();
      throw new Error(JSON.stringify(problems));
    }
    const before = runtime;
    runtime = linked.runtime;
    linked.commit();
    for (const upstream of runtime.upstreams.values()) applyEndpoints(upstream, endpoints, zone);
    oversight.useEndpoints(endpoints);
    oversight.useConfig(config);
    ports.use(runtime);
    if (before) closeOthers(before.upstreams, runtime.upstreams);
  }

  await use(snapshot);
  await release();
  const connections = () => series.values[series.slot(activeConnections.name, '')] ?? 0;
  return {
    port,
    use,
    connections,
    denials,
    events,
    oversight,
    troubles: () => troubles,
    metrics: () => prometheusText([{ values: series.values, names }], []),
    async close() {
      await ports.drain(1000);
      oversight.close();
      replacePolicies(runtime?.policies, undefined);
      thread.redis.close();
      thread.adaptive.close();
      for (const upstream of runtime?.upstreams.values() ?? []) upstream.close();
      await settled(() => [connections(), llhttpOfThread().live() - parsersBefore, wheel.armed()]);
      wheel.close();
      if (bugs.length > 0) throw bugs[0];
    },
  };
}

/** Waits until all counts are 0. @throws Error with the counts that are not. */
async function settled(counts: () => number[]) {
  const end = performance.now() + 3000;
  while (counts().some((count) => count !== 0)) {
    if (performance.now() > end) {
      throw new Error(`Left over: connections, parsers, deadlines ${counts().join(', ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * A free port. It stays taken, by a socket that shares it, until `release`: nobody else gets it before
 * the gateway listens.
 */
export async function reservePort(): Promise<{ port: number; release(): Promise<void> }> {
  const holder: Server = createServer();
  await new Promise<void>((resolve) =>
    holder.listen({ port: 0, host: '127.0.0.1', reusePort: true }, resolve),
  );
  return {
    port: (holder.address() as AddressInfo).port,
    release: () => new Promise<void>((resolve) => holder.close(() => resolve())),
  };
}
