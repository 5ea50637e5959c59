import type { Logger } from 'pino';
import { ApiFault, type ApiServer, reasonOf } from '../providers/kubernetes/index.ts';
import { type Lease, leaseOf, leasePath, microTime, writeLease } from './lease.ts';

export interface ElectOptions {
  api: ApiServer;
  namespace: string;
  /** Of the Lease. */
  name: string;
  /** Who this replica is; unique among all. */
  identity: string;
  /** Called whenever this replica begins or stops to lead. */
  onChange(leads: boolean): void;
  log: Pick<Logger, 'info' | 'warn'>;
  timing?: ElectionTiming;
}

/** Milliseconds. */
export interface ElectionTiming {
  /** Others wait this long after the last sign of life. Whole seconds. */
  lease: number;
  /** A leader that could not renew for this long stops, well before others may begin. */
  renew: number;
  retry: number;
}

/** A leader that dies is replaced within lease + retry after its last renewal: under 15 s. */
const defaultTiming: ElectionTiming = { lease: 10_000, renew: 6000, retry: 2000 };

export interface Election {
  /** Whether this replica leads now, by its own clock. */
  leads(): boolean;
  /** Gives the Lease back, so that another can begin at once. */
  close(): Promise<void>;
}

/**
 * Takes part in an election by Lease. The times in a Lease are never compared with a clock of ours:
 * it has expired when it did not change for its duration, by the monotonic clock of who looks at it
 * (as client-go does), so clocks may be hours apart.
 */
export function elect(options: ElectOptions): Election {
  const { api, namespace, name, identity, onChange, log, timing = defaultTiming } = options;
  const path = leasePath(namespace, name);
  const timeout = timing.renew / 2;
  let observed: { lease: Lease; at: number } | undefined;
  /** When this replica renewed last, by the moment before it asked; undefined when it does not lead. */
  let renewedAt: number | undefined;
  let expiry: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let troubled = false;

  const leads = () => renewedAt !== undefined && performance.now() < renewedAt + timing.renew;

  function begin(at: number): void {
    const before = renewedAt !== undefined;
    renewedAt = at;
    clearTimeout(expiry);
    // Even when a request hangs.
    expiry = setTimeout(
      () => stop('it could not renew in time'),
      at + timing.renew - performance.now(),
    );
    if (before) return;
    log.info(`"${identity}" leads and writes statuses`);
    onChange(true);
  }

  function stop(reason: string): void {
    clearTimeout(expiry);
    if (renewedAt === undefined) return;
    renewedAt = undefined;
    log.info(`"${identity}" does not lead any more: ${reason}`);
    onChange(false);
  }

  function observe(lease: Lease): void {
    if (observed?.lease.resourceVersion === lease.resourceVersion) return;
    observed = { lease, at: performance.now() };
  }

  /** Milliseconds until the observed Lease expires, should it not change; 0 when it may be taken. */
  function remaining(): number {
    if (!observed || observed.lease.holder === '' || observed.lease.holder === identity) return 0;
    const duration = Math.min(observed.lease.duration * 1000, timing.lease * 6);
    return Math.max(0, observed.at + duration - performance.now());
  }

  async function attempt(): Promise<void> {
    const started = performance.now();
    // A leader renews what it wrote itself; everybody else looks first.
    if (renewedAt === undefined || !observed) await look();
    if (remaining() > 0) return stop(`"${observed?.lease.holder}" leads`);
    const mine = observed?.lease.holder === identity;
    const now = microTime(Date.now());
    const written = await writeLease(
      api,
      { namespace, name, timeout },
      {
        resourceVersion: observed?.lease.resourceVersion ?? '',
        holder: identity,
        duration: timing.lease / 1000,
        acquireTime: (mine ? observed?.lease.acquireTime : undefined) ?? now,
        renewTime: now,
        transitions: (observed?.lease.transitions ?? 0) + (mine || !observed ? 0 : 1),
      },
    );
    if (closed) return;
    observe(written);
    begin(started);
  }

  async function look(): Promise<void> {
    try {
      observe(leaseOf(await api.request({ path, timeout })));
    } catch (error) {
      if (!(error instanceof ApiFault) || error.status !== 404) throw error;
      observed = undefined;
    }
  }

  async function round(): Promise<void> {
    try {
      await attempt();
      troubled = false;
    } catch (error) {
      if (!(error instanceof ApiFault)) throw error;
      // Somebody else wrote the Lease: whether this replica still leads shows at the next look.
      observed = error.status === 409 || error.status === 404 ? undefined : observed;
      if (!troubled && error.status !== 409) log.warn(sentence(error));
      troubled = error.status !== 409;
    }
  }

  function sentence(error: ApiFault): string {
    const remedy =
      error.status === 403
        ? '; grant "get", "create" and "update" on "leases" of the API group "coordination.k8s.io"'
        : '';
    return `Cannot renew the Lease "${namespace}/${name}": ${reasonOf(error)}${remedy}`;
  }

  let running = Promise.resolve();
  function next(wait: number): void {
    if (closed) return;
    timer = setTimeout(() => {
      running = round().then(() => next(waitTime()));
    }, wait);
  }

  /** A follower wakes in the moment when the Lease expires. */
  function waitTime(): number {
    const jittered = timing.retry * (1 + Math.random() * 0.2);
    const left = remaining();
    return left > 0 ? Math.min(jittered, left + Math.random() * 50) : timing.retry;
  }

  next(0);
  return {
    leads,
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
      const led = leads();
      stop('it ends');
      if (!led || !observed) return;
      // As client-go does: an empty holder may be replaced at once.
      const lease = {
        ...observed.lease,
        holder: '',
        duration: 1,
        renewTime: microTime(Date.now()),
      };
      await writeLease(api, { namespace, name, timeout: timing.retry }, lease).catch((error) => {
        log.warn(`Cannot give back the Lease "${namespace}/${name}": ${reasonOf(error)}`);
      });
    },
  };
}
