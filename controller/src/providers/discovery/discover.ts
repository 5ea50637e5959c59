import type { UpstreamObject } from '@gatehouse/crds';
import type { Logger } from 'pino';
import type { DiscoverySource } from '../../compile/discovery-source.ts';
import { idOf } from '../../compile/resources.ts';
import type { DiscoveryObject } from '../../store/discovery.ts';
import type { ObjectKey } from '../../store/key.ts';
import type { Store } from '../../store/store.ts';
import { askedFor, type SourceTiming, watchSource } from './asked.ts';
import { begin, type Followed, news } from './followed.ts';
import type { Fault, Sink } from './source-watch.ts';

export interface DiscoverOptions {
  store: Store;
  log: Pick<Logger, 'info' | 'warn'>;
  timing?: SourceTiming;
}

/** What became of one Upstream. */
export interface DiscoveryView {
  namespace: string;
  name: string;
  source: DiscoverySource['kind'];
  /** Undefined while no list is known. */
  endpoints: number | undefined;
  /** Answers that were used, and attempts that brought none, since it is followed. */
  answers: number;
  failures: number;
  /** Seconds since the epoch; undefined before the first one. */
  lastAnswer: number | undefined;
}

export interface Discovery {
  /** Resolves when each source has answered or failed once, and after so many milliseconds at the latest. */
  begun(patience: number): Promise<void>;
  view(): DiscoveryView[];
  close(): Promise<void>;
}

/**
 * Asks Consul and DNS for the endpoints of those Upstreams of the store that say so, and keeps the answers
 * there: an object for each, for as long as its Upstream wants one.
 */
export function discover({ store, log, timing = {} }: DiscoverOptions): Discovery {
  const followed = new Map<string, Followed>();
  const closing = new Set<Promise<void>>();

  function end(one: Followed): void {
    const { watch } = one;
    if (watch === undefined) return;
    one.watch = undefined;
    const closed: Promise<void> = watch.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  function refresh(): void {
    const wanted = new Map(
      store.list('Upstream').flatMap((upstream): [string, UpstreamObject][] => {
        const { consul, dns } = upstream.spec.endpoints;
        return consul || dns ? [[idOf(upstream), upstream]] : [];
      }),
    );
    for (const [id, one] of followed) {
      if (wanted.has(id)) continue;
      followed.delete(id);
      end(one);
      store.apply({ remove: [one.key] });
    }
    for (const [id, upstream] of wanted) follow(id, upstream);
  }

  function follow(id: string, upstream: UpstreamObject): void {
    const asked = askedFor(upstream, store);
    const identity = JSON.stringify(asked ?? null);
    let one = followed.get(id);
    if (one?.identity === identity) return;
    if (one) {
      end(one);
      forget(one);
    } else one = begin(upstream);
    followed.set(id, one);
    one.identity = identity;
    one.kind = upstream.spec.endpoints.consul ? 'consul' : 'dns';
    if (asked) one.watch = watchSource(asked, sinkOf(one, identity), timing);
    // Nobody can be asked: compile says why.
    else one.begun.resolve();
  }

  /** What was wrong with who was asked before says nothing of who is asked now. */
  function forget({ key, metadata }: Followed): void {
    const endpoints = heldAt(key);
    if (endpoints === undefined) store.apply({ remove: [key] });
    else {
      const note = 'these are the endpoints of before: no answer has come yet';
      const fields = { endpoints, mistakes: [], stale: false, note };
      store.apply({ put: [{ kind: 'Discovery', metadata, ...fields }] });
    }
  }

  function heldAt(key: ObjectKey): DiscoveryObject['endpoints'] {
    const held = store.get(key);
    return held?.kind === 'Discovery' ? held.endpoints : undefined;
  }

  function sinkOf(one: Followed, identity: string): Sink {
    const isCurrent = () => one.watch !== undefined && one.identity === identity;
    let failedBefore = false;
    const put = (fields: Omit<DiscoveryObject, 'kind' | 'metadata'>) => {
      const line = news(one, fields);
      if (line !== undefined) log[line.level](line.text);
      store.apply({ put: [{ kind: 'Discovery', metadata: one.metadata, ...fields }] });
      one.begun.resolve();
    };
    return {
      found(endpoints, { mistakes, note }) {
        if (!isCurrent()) return;
        one.answers++;
        one.lastAnswer = Date.now() / 1000;
        failedBefore = false;
        put({ endpoints, mistakes, stale: false, note });
      },
      failed({ mistakes, transient }: Fault) {
        if (!isCurrent()) return;
        one.failures++;
        const endpoints = heldAt(one.key);
        // What a moment later may be over is not worth a change of status.
        const quiet = transient && !failedBefore && endpoints !== undefined;
        failedBefore = true;
        if (!quiet) put({ endpoints, mistakes, stale: true, note: '' });
      },
    };
  }

  const leave = store.subscribe((changed) => {
    if ([...changed].some((key) => key.startsWith('Upstream/') || key.startsWith('Secret/'))) {
      refresh();
    }
  });
  refresh();

  return {
    async begun(patience) {
      const all = [...followed.values()].map(({ begun }) => begun.promise);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patience);
      });
      await Promise.race([Promise.all(all), late]);
      clearTimeout(timer);
    },
    view: () =>
      [...followed.values()].map(({ key, metadata, kind, answers, failures, lastAnswer }) => {
        const endpoints = heldAt(key)?.length;
        return { ...metadata, source: kind, endpoints, answers, failures, lastAnswer };
      }),
    async close() {
      leave();
      for (const one of followed.values()) {
        end(one);
        one.begun.resolve();
      }
      await Promise.all(closing);
    },
  };
}
