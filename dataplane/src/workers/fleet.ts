import {
  difference,
  type Key,
  Kind,
  Lane,
  manifestOf,
  type Resource,
  type ResourceSet,
} from '@gatehouse/snapshot';
import type { Logger } from 'pino';
import type { Trouble } from '../filters/health.ts';
import {
  type CounterMemory,
  counterMemoryOf,
  createCounterMemory,
  releaseCounters,
} from '../filters/rate-limit/counters.ts';
import type { Limits } from '../http1/limits.ts';
import type { RefusedResource } from '../link/refusals.ts';
import { TicketSeeds } from '../server/tls/ticket-keys.ts';
import { now } from '../state/clock.ts';
import { families } from '../telemetry/families.ts';
import { createRegion, type SeriesName } from '../telemetry/series.ts';
import {
  createUpstreamMemory,
  createUpstreamShare,
  takeBack,
  type UpstreamMemory,
  upstreamTables,
} from '../upstreams/shared/upstream-memory.ts';
import type { Difference, PlainResource, ToWorker, WorkerStart } from './messages.ts';
import { ownCounters } from './own-counters.ts';
import { startHere, startThread, type Thread } from './threads.ts';

export type FleetOptions = {
  /** Threads that serve. */
  count: number;
  host: string;
  /** Of the data plane; "" when it is not known. */
  zone: string;
  limits: Limits;
  logLevel: string;
  /** A file or "-"; undefined: no access log. */
  accessLog: string | undefined;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Gets all that does not work at run time whenever that changes. */
  onHealth?(problems: Problem[]): void;
};

/** What a resource does not do, or what is to be known of it, although it was linked. */
type Problem = RefusedResource & { notice?: boolean };

/** Counters of one thread: its memory and the names of the slots in use. */
export type Region = { values: Float64Array; names: SeriesName[] };

const gauges = new Set(families.filter(({ type }) => type === 'gauge').map(({ name }) => name));

/** Milliseconds before a thread that failed is replaced: doubles while they fail at once. */
const backOff = { first: 100, most: 5000, calmAfter: 10_000 };

type Member = {
  thread: Thread;
  counters: Region;
  limits: CounterMemory;
  upstreamShare: UpstreamMemory;
  pending: Map<number, (refusals: RefusedResource[]) => void>;
  troubles: Trouble[];
};

type Request = ToWorker extends infer M
  ? M extends { id: number }
    ? Omit<M, 'id'>
    : never
  : never;

export type WorkerFleet = ReturnType<typeof startWorkers>;

/** Starts the threads that serve, and keeps them at what the data plane holds. */
export function startWorkers({
  count,
  host,
  zone,
  limits,
  logLevel,
  accessLog,
  log,
  onHealth,
}: FleetOptions) {
  const members: Member[] = [];
  /** Regions of threads that are gone too: what they counted stays counted. */
  const regions: Region[] = [];
  /** Outlives threads: a limit is not given anew by one that fails. */
  const counterMemory = createCounterMemory();
  const upstreamMemory = createUpstreamMemory();
  const upstreams = upstreamTables(upstreamMemory, createUpstreamShare());
  const tickets = new TicketSeeds();
  let config: ResourceSet = new Map();
  let endpoints: ResourceSet = new Map();
  let replicas = 1;
  let nextId = 1;
  let nextOwner = 1;
  /** What does not work, as it was logged last. */
  let known: ReadonlyMap<string, Trouble> = new Map();
  let closing = false;
  let delay = 0;
  let startedAt = now();
  /** Changes and replacements take turns: nobody is handed half a snapshot. */
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  function start(): Member {
    const region = createRegion();
    const names: SeriesName[] = [];
    const upstreamShare = createUpstreamShare();
    const counted = counterMemoryOf(counterMemory, nextOwner++);
    const workerData: WorkerStart = {
      host,
      zone,
      limits,
      logLevel,
      accessLog,
      counters: counted,
      upstreams: { memory: upstreamMemory, share: upstreamShare, threads: count },
      tickets: tickets.handOver(),
      region,
    };
    const thread = count === 1 ? startHere(workerData) : startThread(workerData);
    const counters: Region = { values: new Float64Array(region), names };
    const member: Member = {
      thread,
      counters,
      limits: counted,
      upstreamShare,
      pending: new Map(),
      troubles: [],
    };
    regions.push(counters);
    thread.onMessage((message) => {
      if (message.type === 'series') names.push(message.name);
      else if (message.type === 'health') {
        member.troubles = message.troubles;
        tellHealth();
      } else {
        member.pending.get(message.id)?.(message.refusals);
        member.pending.delete(message.id);
      }
    });
    thread.onExit((err) => replace(member, err));
    members.push(member);
    return member;
  }

  /** A line when something stops working and when it works again, on however many threads and Routes. */
  function logTroubles(all: readonly Trouble[]) {
    const now = new Map(all.map((trouble) => [`${trouble.path}: ${trouble.reason}`, trouble]));
    for (const [text, { policy, path, reason }] of now) {
      if (!known.has(text)) log.warn({ policy, path }, reason);
    }
    for (const [text, { policy, path, reason }] of known) {
      if (!now.has(text)) log.info({ policy, path }, `Over: ${reason}`);
    }
    known = now;
  }

  function tellHealth() {
    const all = members.flatMap(({ troubles }) => troubles);
    logTroubles(all);
    onHealth?.(
      distinct(
        all.map(({ policy, path, reason, notice = false }) => {
          return { kind: Kind.POLICY, name: policy, path, reason, notice };
        }),
      ),
    );
  }

  /** A thread that fails takes its connections along, never the data plane. */
  function replace(gone: Member, err: Error | undefined) {
    const index = members.indexOf(gone);
    if (index >= 0) members.splice(index, 1);
    for (const done of gone.pending.values()) done([]);
    gone.pending.clear();
    releaseCounters(gone.limits);
    takeBack(upstreams, gone.upstreamShare);
    if (closing) return;
    log.error({ err }, 'A worker thread has failed');
    clearGauges(gone);
    delay = now() - startedAt > backOff.calmAfter ? 0 : delay;
    setTimeout(() => void inTurn(() => catchUp(start())), delay);
    delay = Math.min(Math.max(2 * delay, backOff.first), backOff.most);
    startedAt = now();
  }

  /** Its counters stay; what it held open, or was in the middle of, is gone. */
  function clearGauges({ counters: { values, names } }: Member) {
    for (const { family, slot } of names) if (gauges.has(family)) values[slot] = 0;
  }

  async function catchUp(member: Member) {
    await ask(member, { type: 'replicas', replicas });
    await ask(member, { type: 'endpoints', put: plain(endpoints.values()), remove: [] });
    if (config.size === 0) return;
    await ask(member, { type: 'prepare', put: plain(config.values()), remove: [] });
    await ask(member, { type: 'commit' });
    log.info('A worker thread was replaced');
  }

  function ask(member: Member, message: Request): Promise<RefusedResource[]> {
    const id = nextId++;
    return new Promise((resolve) => {
      member.pending.set(id, resolve);
      member.thread.send({ ...message, id } as ToWorker);
    });
  }

  async function askAll(message: Request): Promise<RefusedResource[]> {
    const answers = await Promise.all(members.map((member) => ask(member, message)));
    return distinct(answers.flat());
  }

  async function useEndpoints(next: ResourceSet, change?: Change): Promise<RefusedResource[]> {
    const told = change ?? changeOf(endpoints, next);
    endpoints = next;
    return askAll({ type: 'endpoints', ...plainChange(told) });
  }

  async function useConfig(next: ResourceSet, change?: Change): Promise<RefusedResource[]> {
    const told = change ?? changeOf(config, next);
    const refusals = await askAll({ type: 'prepare', ...plainChange(told) });
    if (refusals.length > 0) {
      await askAll({ type: 'discard' });
      return refusals;
    }
    config = next;
    return askAll({ type: 'commit' });
  }

  for (let i = 0; i < count; i++) start();

  return {
    regions,
    /** What the calling thread needs to look after the upstreams of all. */
    overseen: { tables: upstreams, counter: ownCounters(regions) },

    /**
     * Brings every thread to `next`. The config lane in two steps, so that all threads swap or none:
     * each links it beside the old one, then each makes the one assignment.
     * @param change by what `next` differs from what was applied last; found out when left out.
     */
    apply: (lane: Lane, next: ResourceSet, change?: Change) =>
      inTurn(() =>
        lane === Lane.ENDPOINTS ? useEndpoints(next, change) : useConfig(next, change),
      ),

    /** So many data planes share limits; at least 1. */
    setReplicas(next: number) {
      replicas = next;
      void askAll({ type: 'replicas', replicas });
    },

    /** From now on each response asks its client to connect anew. */
    async leave() {
      await askAll({ type: 'leave' });
    },

    /** Closes ports, lets running exchanges finish for up to `timeout` milliseconds, and ends. */
    async close(timeout: number) {
      closing = true;
      await askAll({ type: 'drain', timeout });
      await Promise.all(members.map(({ thread }) => thread.terminate()));
    },
  };
}

type Change = { put: Resource[]; remove: Key[] };

function changeOf(held: ResourceSet, next: ResourceSet): Change {
  return difference(manifestOf(held), next);
}

function plainChange({ put, remove }: Change): Difference {
  return { put: plain(put), remove };
}

function plain(resources: Iterable<Resource>): PlainResource[] {
  return Array.from(resources, ({ kind, name, hash, body }) => ({ kind, name, hash, body }));
}

function distinct<R extends RefusedResource>(refusals: R[]): R[] {
  const seen = new Map(refusals.map((one) => [`${one.kind} ${one.name} ${one.path}`, one]));
  return [...seen.values()].filter(({ kind }) => kind !== Kind.UNSPECIFIED);
}
