import type { Key, Kind } from '@gatehouse/snapshot';
import type { Trouble } from '../filters/health.ts';
import type { CounterMemory } from '../filters/rate-limit/counters.ts';
import type { Limits } from '../http1/limits.ts';
import type { RefusedResource } from '../link/refusals.ts';
import type { TicketSeed } from '../server/tls/ticket-keys.ts';
import type { SeriesName } from '../telemetry/series.ts';
import type { UpstreamMemory } from '../upstreams/shared/upstream-memory.ts';

/** A resource as it crosses a thread boundary: plain data. */
export type PlainResource = { kind: Kind; name: string; hash: Uint8Array; body: Uint8Array };
export type Difference = { put: PlainResource[]; remove: Key[] };

/** What a worker thread is started with. */
export type WorkerStart = {
  host: string;
  /** Of the data plane; "" when it is not known. */
  zone: string;
  limits: Limits;
  logLevel: string;
  /** A file or "-"; undefined: no access log. */
  accessLog: string | undefined;
  /** What all threads share to count for rate limits. */
  counters: CounterMemory;
  /** What all threads share to know of upstreams, and what this one holds of it. */
  upstreams: { memory: UpstreamMemory; share: UpstreamMemory; threads: number };
  /** Of the keys of TLS session tickets. */
  tickets: TicketSeed;
  /** Shared memory for its metrics. */
  region: SharedArrayBuffer;
};

/** From the main thread to a worker; every one but `stop` is answered with its `id`. */
export type ToWorker =
  /** Link this change of the config lane and open ports, but go on serving by the old one. */
  | ({ type: 'prepare'; id: number } & Difference)
  | { type: 'commit'; id: number }
  | { type: 'discard'; id: number }
  | ({ type: 'endpoints'; id: number } & Difference)
  /** So many data planes share limits. */
  | { type: 'replicas'; id: number; replicas: number }
  | { type: 'leave'; id: number }
  | { type: 'drain'; id: number; timeout: number };

export type FromWorker =
  /** All that does not work at run time in this thread. */
  | { type: 'health'; troubles: Trouble[] }
  | { type: 'answer'; id: number; refusals: RefusedResource[] }
  | { type: 'series'; name: SeriesName };
