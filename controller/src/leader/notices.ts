import type { Logger } from 'pino';
import {
  type ApiServer,
  fieldsOf,
  type Health,
  reasonOf,
  reflect,
  type Timing,
} from '../providers/kubernetes/index.ts';
import { leasePath, microTime } from './lease.ts';

const annotation = 'gatehouse.dev/notice';
const label = { key: 'gatehouse.dev/notices', value: 'controller' };

export interface NoticesOptions {
  api: ApiServer;
  namespace: string;
  /** Name of this replica, also that of its Lease. */
  replica: string;
  /** Of the Pod of this replica: its Lease goes with it. */
  podUid: string | undefined;
  /** What others should know of this replica now. */
  text(): string;
  /** Called when what is known of the others has changed. */
  onChange(): void;
  log: Pick<Logger, 'warn'>;
  timing?: NoticeTiming;
}

/** Milliseconds. */
export interface NoticeTiming {
  /** Least time between two writes. */
  interval: number;
  /** Most time between two writes: it shows that the replica lives. */
  beat: number;
  /** A replica that did not write for so long is gone. */
  expiry: number;
  watch?: Timing;
}

const defaultTiming: NoticeTiming = {
  interval: 200,
  beat: 4000,
  expiry: 12_000,
};

export interface Notices {
  /** What the other replicas say that live, by their name. */
  others(): ReadonlyMap<string, string>;
  /** Resolves when all that was said has been read once. */
  ready: Promise<void>;
  /** The text has changed. */
  soon(): void;
  /** Says a last word, which counts until it expires: what this replica served is served on. */
  close(): Promise<void>;
}

interface Heard {
  name: string;
  text: string;
  resourceVersion: string;
}

/**
 * Lets each replica tell all others something small: a Lease of its own carries the text, its renewal
 * shows that the replica lives. Life is judged by the clock of who listens: a Lease that does not
 * change is that of a replica that is gone.
 */
export function shareNotices(options: NoticesOptions): Notices {
  const { api, namespace, replica, podUid, text, onChange, log, timing = defaultTiming } = options;
  const path = leasePath(namespace);
  const heard = new Map<string, Heard & { at: number; gone: boolean }>();
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  let written = { text: '', at: Number.NEGATIVE_INFINITY };
  let asked = true;
  let closed = false;
  let troubled = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  function hear(item: Heard): void {
    if (item.name === replica) return;
    const before = heard.get(item.name);
    if (before?.resourceVersion === item.resourceVersion) return;
    heard.set(item.name, { ...item, at: performance.now(), gone: false });
    if (before?.text !== item.text || before.gone) onChange();
  }

  const reflector = reflect<Heard>({
    api,
    path,
    query: { labelSelector: `${label.key}=${label.value}` },
    ...(timing.watch === undefined ? {} : { timing: timing.watch }),
    sink: {
      read(object) {
        const { name, annotations, resourceVersion } = fieldsOf(fieldsOf(object).metadata);
        const said = fieldsOf(annotations)[annotation];
        return {
          name: String(name),
          text: typeof said === 'string' ? said : '',
          resourceVersion: String(resourceVersion),
        };
      },
      replace(items) {
        items.forEach(hear);
        onChange();
      },
      change(changes) {
        // A Lease that is deleted expires as if it were there: its replica went a moment ago.
        for (const { type, item } of changes) if (type === 'put') hear(item);
      },
    },
    onHealth(health: Health) {
      if (health.state === 'current') resolve();
      else if ('reason' in health) {
        log.warn(`Cannot ${health.verb} Leases in namespace "${namespace}": ${health.reason}`);
      }
    },
  });

  /** Server-side apply: creates and replaces, and needs not look first, as nobody else writes it. */
  async function write(said: string): Promise<void> {
    await api.request({
      method: 'PATCH',
      path: leasePath(namespace, replica),
      query: { fieldManager: 'gatehouse', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name: replica,
          namespace,
          labels: { [label.key]: label.value },
          annotations: { [annotation]: said },
          ...(podUid === undefined ? {} : { ownerReferences: [ownerOf(replica, podUid)] }),
        },
        spec: { holderIdentity: replica, renewTime: microTime(Date.now()) },
      },
      timeout: timing.expiry,
    });
  }

  async function round(): Promise<void> {
    const said = text();
    asked = false;
    if (said === written.text && performance.now() < written.at + timing.beat) return;
    try {
      written = { text: said, at: performance.now() };
      await write(said);
      troubled = false;
    } catch (error) {
      written = { text: '', at: Number.NEGATIVE_INFINITY };
      if (!troubled) {
        log.warn(`Cannot write the Lease "${namespace}/${replica}": ${reasonOf(error)}`);
      }
      troubled = true;
    }
  }

  function plan(wait: number): void {
    if (closed || running !== undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = round().finally(() => {
        running = undefined;
        const fast = asked && !troubled;
        plan(fast ? timing.interval : troubled ? timing.beat / 2 : timing.beat);
      });
    }, wait);
  }

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const one of heard.values()) {
      if (one.gone || now <= one.at + timing.expiry) continue;
      one.gone = true;
      onChange();
    }
  }, timing.beat);

  plan(0);
  return {
    ready,
    others() {
      const now = performance.now();
      const alive = [...heard.values()].filter(({ at }) => now <= at + timing.expiry);
      return new Map(alive.map(({ name, text }) => [name, text]));
    },
    soon() {
      asked = true;
      plan(Math.max(0, written.at + timing.interval - performance.now()));
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(sweep);
      await Promise.all([reflector.close(), running]);
      await round();
    },
  };
}

function ownerOf(name: string, uid: string) {
  return { apiVersion: 'v1', kind: 'Pod', name, uid };
}
