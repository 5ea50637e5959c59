import { Worker } from 'node:worker_threads';
import {
  difference,
  Kind,
  Lane,
  manifestOf,
  type Resource,
  type ResourceSet,
} from '@gatehouse/snapshot';
import type { Logger } from 'pino';
import type { Limits } from '../http1/limits.ts';
import type { RefusedResource } from '../link/refusals.ts';
import { createRegion, type SeriesName } from '../telemetry/series.ts';
import type { Difference, FromWorker, PlainResource, ToWorker, WorkerStart } from './messages.ts';

export type FleetOptions = {
  /** Threads that serve. */
  count: number;
  host: string;
  limits: Limits;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
};

/** Counters of one thread: its memory and the names of the slots in use. */
export type Region = { values: Float64Array; names: SeriesName[] };

type Thread = {
  worker: Worker;
  region: SharedArrayBuffer;
  pending: Map<number, (refusals: RefusedResource[]) => void>;
};

type Request = ToWorker extends infer M
  ? M extends { id: number }
    ? Omit<M, 'id'>
    : never
  : never;

export type WorkerFleet = ReturnType<typeof startWorkers>;

/** Starts the threads that serve, and keeps them at what the data plane holds. */
export function startWorkers({ count, host, limits, log }: FleetOptions) {
  const threads: Thread[] = [];
  /** Regions of threads that are gone too: what they counted stays counted. */
  const regions: Region[] = [];
  let config: ResourceSet = new Map();
  let endpoints: ResourceSet = new Map();
  let nextId = 1;
  let closing = false;

  function start(): Thread {
    const region = createRegion();
    const names: SeriesName[] = [];
    const workerData: WorkerStart = { host, limits, region };
    const worker = new Worker(new URL(workerFile(import.meta.url), import.meta.url), {
      workerData,
    });
    const thread: Thread = { worker, region, pending: new Map() };
    regions.push({ values: new Float64Array(region), names });
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'series') names.push(message.name);
      else {
        thread.pending.get(message.id)?.(message.refusals);
        thread.pending.delete(message.id);
      }
    });
    worker.on('error', (err) => log.error({ err }, 'A worker thread has failed'));
    worker.on('exit', () => replace(thread));
    threads.push(thread);
    return thread;
  }

  /** A thread that fails takes its connections along, never the data plane. */
  function replace(gone: Thread) {
    const index = threads.indexOf(gone);
    if (index >= 0) threads.splice(index, 1);
    for (const done of gone.pending.values()) done([]);
    gone.pending.clear();
    if (closing) return;
    const thread = start();
    void catchUp(thread);
  }

  async function catchUp(thread: Thread) {
    await ask(thread, { type: 'endpoints', put: plain(endpoints.values()), remove: [] });
    if (config.size === 0) return;
    await ask(thread, { type: 'prepare', put: plain(config.values()), remove: [] });
    await ask(thread, { type: 'commit' });
    log.info('A worker thread was replaced');
  }

  function ask(thread: Thread, message: Request): Promise<RefusedResource[]> {
    const id = nextId++;
    return new Promise((resolve) => {
      thread.pending.set(id, resolve);
      thread.worker.postMessage({ ...message, id } as ToWorker);
    });
  }

  async function askAll(message: Request): Promise<RefusedResource[]> {
    const answers = await Promise.all(threads.map((thread) => ask(thread, message)));
    return distinct(answers.flat());
  }

  for (let i = 0; i < count; i++) start();

  return {
    regions,

    /**
     * Brings every thread to `next`. The config lane in two steps, so that all threads swap or none:
     * each links it beside the old one, then each makes the one assignment.
     */
    async apply(lane: Lane, next: ResourceSet): Promise<RefusedResource[]> {
      if (lane === Lane.ENDPOINTS) {
        const change = changeOf(endpoints, next);
        endpoints = next;
        return askAll({ type: 'endpoints', ...change });
      }
      const refusals = await askAll({ type: 'prepare', ...changeOf(config, next) });
      if (refusals.length > 0) {
        await askAll({ type: 'discard' });
        return refusals;
      }
      config = next;
      return askAll({ type: 'commit' });
    },

    /** Closes ports, lets running exchanges finish for up to `timeout` milliseconds, and ends. */
    async close(timeout: number) {
      closing = true;
      await askAll({ type: 'drain', timeout });
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

/** Bundled, the worker stands beside the bundle; in development it is a TypeScript file. */
function workerFile(url: string): string {
  return url.endsWith('.ts') ? './worker.ts' : './dataplane-worker.mjs';
}

function changeOf(held: ResourceSet, next: ResourceSet): Difference {
  const { put, remove } = difference(manifestOf(held), next);
  return { put: plain(put), remove };
}

function plain(resources: Iterable<Resource>): PlainResource[] {
  return Array.from(resources, ({ kind, name, hash, body }) => ({ kind, name, hash, body }));
}

function distinct(refusals: RefusedResource[]): RefusedResource[] {
  const seen = new Map(refusals.map((one) => [`${one.kind} ${one.name} ${one.path}`, one]));
  return [...seen.values()].filter(({ kind }) => kind !== Kind.UNSPECIFIED);
}
