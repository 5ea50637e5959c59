import type { MessagePort } from 'node:worker_threads';
import { create } from '@bufbuild/protobuf';
import { type Key, Kind, keyOf, type Resource, ResourceSchema } from '@gatehouse/snapshot';
import { pino } from 'pino';
import { createThreadState } from '../filters/thread-state.ts';
import { linkSteps } from '../link/link.ts';
import { replacePolicies } from '../link/policies.ts';
import type { RefusedResource } from '../link/refusals.ts';
import type { Runtime } from '../link/runtime.ts';
import { applyEndpoints, closeOthers } from '../link/upstreams.ts';
import { createPorts } from '../server/ports.ts';
import { TicketSeeds } from '../server/tls/ticket-keys.ts';
import { createTimerWheel } from '../state/timer-wheel.ts';
import { openAccessLog, withAccessLog } from '../telemetry/access-log.ts';
import { accessLogLost } from '../telemetry/families.ts';
import { createRecorder } from '../telemetry/recorder.ts';
import { createSeries } from '../telemetry/series.ts';
import { upstreamTables } from '../upstreams/shared/upstream-memory.ts';
import type { Difference, FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { inSlices } from './slices.ts';

/** How long linking may keep requests waiting at a time, in milliseconds. */
const sliceBudget = 1;

/** Links what arrives and serves by it. Returns what takes the messages. */
function createServing(
  { host, zone, limits, logLevel, accessLog, counters, upstreams, tickets, region }: WorkerStart,
  send: (message: FromWorker) => void,
) {
  const wheel = createTimerWheel();
  const series = createSeries(region, (name) => send({ type: 'series', name }));
  const log = pino({ name: 'dataplane', level: logLevel }, pino.destination(2));
  const lostSlot = series.slot(accessLogLost.name, '');
  const access =
    accessLog === undefined
      ? undefined
      : openAccessLog(accessLog, (lines) => {
          series.values[lostSlot] = (series.values[lostSlot] ?? 0) + lines;
        });
  const counted = createRecorder(series, (err) => log.error({ err }, 'A request met a bug'));
  const recorder = access ? withAccessLog(counted, access) : counted;
  const thread = createThreadState(wheel, series, {
    counters,
    upstreams: {
      tables: upstreamTables(upstreams.memory, upstreams.share),
      threads: upstreams.threads,
      report: ({ bad, text, ...fields }) => (bad ? log.warn(fields, text) : log.info(fields, text)),
    },
    denied: (entry) => log.info(entry, 'A policy does not let a request through'),
    health: (troubles) => send({ type: 'health', troubles }),
  });
  const ports = createPorts({ host, limits, wheel, recorder, seeds: new TicketSeeds(tickets) });
  let config = new Map<Key, Resource>();
  let endpoints = new Map<Key, Resource>();
  let runtime: Runtime | undefined;
  let prepared: { config: Map<Key, Resource>; runtime: Runtime; commit(): void } | undefined;

  async function prepare(change: Difference): Promise<RefusedResource[]> {
    const next = changed(config, change);
    // Requests are served by the runtime in force meanwhile, and endpoints wait for their turn.
    const steps = linkSteps(next, endpoints, runtime, thread, zone);
    const linked = await inSlices(steps, sliceBudget);
    if ('refusals' in linked) return linked.refusals;
    const problems = await ports.open(linked.runtime);
    if (problems.length > 0) {
      ports.discard();
      closeOthers(linked.runtime.upstreams, runtime?.upstreams);
      return problems.flatMap(({ port, reason }) =>
        (linked.runtime.ports.get(port)?.listeners ?? []).map(({ name }) => {
          return { kind: Kind.LISTENER, name, path: 'port', reason };
        }),
      );
    }
    prepared = { config: next, ...linked };
    return [];
  }

  function commit() {
    if (!prepared) throw new Error('Cannot commit a snapshot: none was prepared');
    const before = runtime;
    config = prepared.config;
    runtime = prepared.runtime;
    prepared.commit();
    prepared = undefined;
    ports.use(runtime);
    if (before) closeOthers(before.upstreams, runtime.upstreams);
  }

  function setEndpoints(change: Difference) {
    endpoints = changed(endpoints, change);
    const names = new Set(change.put.map(({ name }) => name));
    for (const key of change.remove) names.add(key.slice(key.indexOf(':') + 1));
    for (const name of names) {
      const upstream = runtime?.upstreams.get(name);
      if (upstream) applyEndpoints(upstream, endpoints, zone);
    }
  }

  return async (message: ToWorker): Promise<RefusedResource[]> => {
    switch (message.type) {
      case 'prepare':
        return prepare(message);
      case 'commit':
        commit();
        return [];
      case 'discard':
        if (prepared) closeOthers(prepared.runtime.upstreams, runtime?.upstreams);
        prepared = undefined;
        ports.discard();
        return [];
      case 'endpoints':
        setEndpoints(message);
        return [];
      case 'replicas':
        thread.counters.replicas = message.replicas;
        return [];
      case 'leave':
        ports.leave();
        return [];
      case 'drain':
        await ports.drain(message.timeout);
        await access?.close();
        replacePolicies(runtime?.policies, undefined);
        thread.redis.close();
        thread.adaptive.close();
        wheel.close();
        return [];
    }
  };
}

function changed(set: ReadonlyMap<Key, Resource>, { put, remove }: Difference): Map<Key, Resource> {
  const next = new Map(set);
  for (const key of remove) next.delete(key);
  for (const resource of put) {
    next.set(keyOf(resource.kind, resource.name), create(ResourceSchema, resource));
  }
  return next;
}

/** Serves by what arrives on `port`, one message after the other: a commit never overtakes its prepare. */
export function serve(port: MessagePort, start: WorkerStart) {
  const take = createServing(start, (message) => port.postMessage(message));
  let last: Promise<unknown> = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    last = last.then(async () => {
      const refusals = await take(message);
      port.postMessage({ type: 'answer', id: message.id, refusals } satisfies FromWorker);
    });
  });
}
