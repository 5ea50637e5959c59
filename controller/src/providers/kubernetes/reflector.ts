import { ApiFault, reasonOf } from './api-fault.ts';
import type { ApiServer, Query } from './api-server.ts';
import { backoff, pause } from './backoff.ts';
import { listAll } from './list.ts';
import { type WatchEvent, watchFrom } from './watch.ts';

/** Where the objects of a collection go. */
export interface Sink<T> {
  /** Reduces an object to what is kept of it. */
  read(object: unknown): T;
  /** The whole collection. */
  replace(items: T[], resourceVersion: string): void;
  /** What happened since, in order. */
  change(changes: { type: 'put' | 'remove'; item: T }[], resourceVersion: string): void;
}

/** Whether the collection can be followed, and if not, why. */
export type Health =
  | { state: 'starting' | 'current' }
  | { state: 'absent' | 'forbidden' | 'failing'; verb: 'list' | 'watch'; reason: string }
  /** Not there, but in other versions of the API, so there may be objects. */
  | { state: 'moved'; verb: 'list' | 'watch'; versions: string[] };

export interface ReflectOptions<T> {
  api: ApiServer;
  /** Path of the collection. */
  path: string;
  /** Selectors. */
  query?: Query;
  sink: Sink<T>;
  /** Other versions in which the collection is served; asked for when it is not there. */
  otherVersions?(): Promise<string[]>;
  /** Called when the state changes, not at each attempt. */
  onHealth(health: Health): void;
  timing?: Timing;
}

/** Milliseconds. */
export interface Timing {
  /** First and longest wait after a failure. */
  retry: { first: number; most: number };
  /** Between attempts at what does not exist or may not be read. */
  absent: number;
  /** A watch that lived this long was no failure. */
  sound: number;
}

const defaultTiming: Timing = {
  retry: { first: 250, most: 10_000 },
  absent: 5000,
  sound: 5000,
};

/** What does not exist must be seen to be missing twice: an API server that starts may err. */
const absentAfter = 2;
/** One failure is no news: it is made good within a moment. */
const failingAfter = 2;

/**
 * Keeps a sink equal to a collection until closed: one list, then watches that go on from where the
 * last one ended. Whatever fails, the sink keeps what it has; it is listed anew only when the server
 * does not know any more what happened since.
 */
export function reflect<T>(options: ReflectOptions<T>): { close(): Promise<void> } {
  const { api, path, query = {}, sink, onHealth, otherVersions, timing = defaultTiming } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  const target = { path, query, signal };
  const waits = backoff(timing.retry.first, timing.retry.most);
  let health: Health = { state: 'starting' };
  let version: string | undefined;
  let missed = 0;
  let failed = 0;

  function setHealth(next: Health): void {
    if (next.state === 'current') failed = 0;
    if (next.state === health.state) return;
    health = next;
    onHealth(next);
  }

  async function list(): Promise<void> {
    const { items, resourceVersion } = await listAll(api, target, sink.read);
    if (signal.aborted) return;
    version = resourceVersion;
    missed = 0;
    sink.replace(items as T[], resourceVersion);
    setHealth({ state: 'current' });
  }

  /** Follows what happens until the watch ends. */
  async function follow(from: string): Promise<void> {
    const started = performance.now();
    try {
      for await (const events of watchFrom(api, target, from)) {
        if (signal.aborted) return;
        waits.reset();
        take(events);
        setHealth({ state: 'current' });
      }
    } finally {
      if (performance.now() - started > timing.sound) waits.reset();
    }
  }

  function take(events: WatchEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    version = last.resourceVersion;
    const changes = events.flatMap((event) =>
      event.type === 'bookmark' ? [] : [{ type: event.type, item: sink.read(event.object) }],
    );
    sink.change(changes, last.resourceVersion);
  }

  /** Milliseconds until the next attempt. */
  async function afterFailure(error: unknown, verb: 'list' | 'watch'): Promise<number> {
    const reason = reasonOf(error);
    const wait = waits.next();
    if (!(error instanceof ApiFault)) {
      // A defect of ours; whatever it broke is made good by the list.
      version = undefined;
      setHealth({ state: 'failing', verb, reason });
      return wait;
    }
    if (error.status === 410) {
      version = undefined;
      return wait;
    }
    if (error.status === 403) {
      // A watch that is refused is listed again meanwhile: late is better than never.
      version = undefined;
      setHealth({ state: 'forbidden', verb, reason });
      return Math.max(wait, timing.absent);
    }
    if (error.status === 404) {
      version = undefined;
      if (++missed < absentAfter) return wait;
      const versions = (await otherVersions?.()) ?? [];
      if (versions.length > 0) setHealth({ state: 'moved', verb, versions });
      else setHealth({ state: 'absent', verb, reason });
      return Math.max(wait, timing.absent);
    }
    if (++failed >= failingAfter) setHealth({ state: 'failing', verb, reason });
    return Math.max(wait, error.retryAfter ?? 0);
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const verb = version === undefined ? 'list' : 'watch';
      let wait = 0;
      try {
        if (version === undefined) await list();
        else {
          await follow(version);
          // It ended in order; one that ended at once would be asked for without end.
          wait = waits.next();
        }
      } catch (error) {
        if (signal.aborted) return;
        // To find out what is there instead may fail, too.
        wait = await afterFailure(error, verb).catch((other) => afterFailure(other, verb));
      }
      if (wait > 0) await pause(wait, signal);
    }
  }

  const running = run();
  return {
    async close() {
      stopped.abort();
      await running;
    },
  };
}
