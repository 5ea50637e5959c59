import type { Logger } from 'pino';
import {
  ApiFault,
  type ApiServer,
  apiVersionOf,
  fieldsOf,
  pathOf,
  rbacName,
  reasonOf,
} from '../../providers/kubernetes/index.ts';
import { createPatience, type Delays, defaultDelays } from './patience.ts';
import type { Target } from './targets.ts';
import type { Urgency } from './wanted.ts';

export interface WriterOptions {
  api: ApiServer;
  leads(): boolean;
  /** All objects as they are now; undefined while statuses cannot be told. */
  targets(): Iterable<Target> | undefined;
  log: Pick<Logger, 'warn'>;
  delays?: Delays;
  /** Milliseconds between two writes to one Gateway: each Route that comes changes a count in it. */
  gatewayGap?: number;
}

export interface Writer {
  /** Looks at all objects and writes what is due. */
  look(): void;
  /** Writes since the start. */
  count(): number;
  /** Ends when no write is under way. */
  close(): Promise<void>;
}

interface Judgement {
  target: Target;
  /** The status that it was judged by. */
  present: unknown;
  same: boolean;
  urgency: Urgency;
}

const fieldManager = 'gatehouse';
/** Writes under way at one time. */
const mostAtOnce = 16;
/** As long as so many are under way, nothing is begun that the next moment may make needless. */
const fewAtOnce = 2;
/** A write that hangs longer might reach the API server when another replica leads. */
const writeTimeout = 3000;
/** Between attempts at what may not be written or was refused, in milliseconds. */
const refusedPause = 30_000;
/** What etcd says, with status 500, of an object that was just small enough without its status. */
const tooLarge = /request is too large/;

/**
 * Writes statuses by server-side apply while this replica leads: only those that differ, and only once
 * the difference has lasted as long as it is worth.
 */
export function createWriter(options: WriterOptions): Writer {
  const { api, leads, targets, log, delays = defaultDelays, gatewayGap = 500 } = options;
  const patience = createPatience(delays);
  /** What was written and has not been seen by the watch yet. */
  const own = new Map<string, { version: number; status: unknown }>();
  const judged = new Map<string, Judgement>();
  const notBefore = new Map<string, number>();
  const told = new Set<string>();
  const inFlight = new Set<Promise<void>>();
  const busy = new Set<string>();
  /** What lasts, and what only waits for data planes. */
  let queues: [Map<string, Target>, Map<string, Target>] = [new Map(), new Map()];
  let pausedUntil = 0;
  let lookAt = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let count = 0;
  let closed = false;

  function look(): void {
    clearTimeout(timer);
    lookAt = Number.POSITIVE_INFINITY;
    const found = closed || !leads() ? undefined : targets();
    if (found === undefined) {
      forget();
      return;
    }
    const now = performance.now();
    const next: typeof queues = [new Map(), new Map()];
    let all = 0;
    for (const target of found) {
      const { key } = target;
      all++;
      const { same, urgency } = judgementOf(target);
      if (same) continue;
      const left = Math.max(patience.left(key, urgency, now), (notBefore.get(key) ?? 0) - now);
      if (left > 0) lookIn(left);
      else next[urgency === 'now' ? 0 : 1].set(key, target);
    }
    // Traces of objects that are gone.
    if (judged.size + own.size + notBefore.size > 3 * (all + 100)) forget();
    queues = next;
    pump();
  }

  /** Whether a status is to be written, and how soon; judged again only when something is another. */
  function judgementOf(target: Target): Judgement {
    const { key, wanted } = target;
    const present = presentOf(target);
    const before = judged.get(key);
    if (before?.target === target && before.present === present) return before;
    const { same, urgency } = wanted(present);
    const judgement = { target, present, same, urgency };
    judged.set(key, judgement);
    if (same) patience.forget(key);
    return judgement;
  }

  /** Looks again after so many milliseconds, or sooner when that is planned already. */
  function lookIn(milliseconds: number): void {
    const at = performance.now() + milliseconds;
    if (closed || at >= lookAt) return;
    clearTimeout(timer);
    lookAt = at;
    timer = setTimeout(look, milliseconds);
  }

  function forget(): void {
    queues = [new Map(), new Map()];
    for (const map of [own, judged, notBefore]) map.clear();
    told.clear();
  }

  function presentOf({ key, version, present }: Target): unknown {
    const mine = own.get(key);
    if (mine === undefined) return present;
    // Events come in order: one that is older than the write knows nothing of it.
    if (version < mine.version) return mine.status;
    own.delete(key);
    return present;
  }

  function pump(): void {
    const wait = pausedUntil - performance.now();
    if (wait > 0) {
      lookIn(wait);
      return;
    }
    const [lasting, waiting] = queues;
    begin(lasting, mostAtOnce);
    begin(waiting, fewAtOnce);
  }

  function begin(queue: Map<string, Target>, most: number): void {
    for (const [key, target] of queue) {
      if (busy.size >= most || closed) return;
      if (busy.has(key)) continue;
      queue.delete(key);
      const left = (notBefore.get(key) ?? 0) - performance.now();
      if (left > 0) {
        lookIn(left);
        continue;
      }
      busy.add(key);
      const write = send(target).finally(() => {
        busy.delete(key);
        inFlight.delete(write);
        pump();
      });
      inFlight.add(write);
    }
  }

  async function send(target: Target): Promise<void> {
    const { key, resource, namespace, name, uid } = target;
    // Looked at again: it may have waited in the queue.
    const { status, same } = target.wanted(presentOf(target));
    if (same || !leads()) return;
    count++;
    try {
      const answer = await api.request({
        method: 'PATCH',
        path: `${pathOf(resource, namespace, name)}/status`,
        // Nobody reads warnings about fields; looking for them is a tenth of what a write costs.
        query: { fieldManager, force: 'true', fieldValidation: 'Ignore' },
        contentType: 'application/apply-patch+yaml',
        // The uid makes it fail for an object that took the name of the one that was meant.
        body: {
          apiVersion: apiVersionOf(resource),
          kind: resource.kind,
          metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid },
          status,
        },
        timeout: writeTimeout,
      });
      const { metadata, status: now } = fieldsOf(answer);
      own.set(key, { version: Number(fieldsOf(metadata).resourceVersion), status: now });
      patience.forget(key);
      if (resource.kind === 'Gateway') notBefore.set(key, performance.now() + gatewayGap);
    } catch (error) {
      failed(target, error);
    }
  }

  function later(key: string, milliseconds: number): void {
    notBefore.set(key, performance.now() + milliseconds);
    lookIn(milliseconds);
  }

  function failed({ key, resource, namespace, name }: Target, error: unknown): void {
    const { status, retryAfter = 0 } = error instanceof ApiFault ? error : { status: 0 };
    // Gone, or another object of the same name: the watch will tell.
    if (status === 404 || status === 409) {
      later(key, 1000);
      return;
    }
    const full = tooLarge.test(reasonOf(error));
    const refused = full || (status >= 400 && status < 500 && status !== 429 && status !== 408);
    if (refused) later(key, refusedPause);
    else {
      pausedUntil = performance.now() + Math.max(retryAfter, 500);
      lookIn(pausedUntil - performance.now());
    }
    const object = namespace === undefined ? name : `${namespace}/${name}`;
    const { group, plural } = resource;
    const sentence =
      status === 403
        ? `Cannot write statuses of ${rbacName(resource)}: forbidden; grant the verb "patch" on the resource "${plural}/status" of the API group "${group}" to the controller`
        : refused
          ? `Cannot write the status of ${resource.kind} "${object}": ${reasonOf(error)}${full ? '; it is served, but leaves no room for its status: make it smaller' : ''}`
          : `Cannot write statuses: ${reasonOf(error)}; they are written later`;
    if (told.has(sentence)) return;
    told.add(sentence);
    log.warn(sentence);
  }

  return {
    look,
    count: () => count,
    async close() {
      closed = true;
      clearTimeout(timer);
      queues = [new Map(), new Map()];
      await Promise.all(inFlight);
    },
  };
}
