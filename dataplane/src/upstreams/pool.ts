import type { ConnectionQuota } from './connection-quota.ts';
import type { PoolSettings } from './endpoint-pool.ts';
import type { UpstreamStream } from './stream.ts';

/** The connections of this thread to one endpoint, whatever version of HTTP they carry. */
export type Pool = {
  readonly address: string;
  readonly port: number;
  settings: PoolSettings;
  /** Connections that are open or being opened. */
  readonly open: number;
  /** A request can be sent now; `acquire` does not ask. */
  readonly room: boolean;
  /** A place for one request. `fresh`: not on a connection that was used before, where those carry one each. */
  acquire(now: number, fresh: boolean): UpstreamStream;
  /** Closes a connection that idles. False: there is none. */
  closeIdle(): boolean;
  /** Closes what idles; what is in use is closed when its exchange ends. */
  close(): void;
};

/** Whether the limits allow another connection. */
export function mayOpen({ open, settings }: Pool, quota: ConnectionQuota): boolean {
  const { maxConnections } = settings;
  return quota.room && (maxConnections === 0 || open < maxConnections);
}

/** Whether a connection has lived for as long as it may. */
export function isOld(
  { openedAt, spread }: { openedAt: number; spread: number },
  { maxLifetime }: PoolSettings,
  now: number,
): boolean {
  return maxLifetime > 0 && now - openedAt > maxLifetime * (1 - spread);
}

/** By what part of it the lifetime of a connection is shorter: what was opened together is not closed together. */
export function lifetimeSpread(): number {
  return Math.random() / 10;
}
