import type { TimerWheel } from '../state/timer-wheel.ts';
import { type ConnectionOwner, UpstreamConnection } from './connection.ts';
import type { ConnectionQuota } from './connection-quota.ts';
import { isOld, mayOpen, type Pool } from './pool.ts';
import { type Insecurity, SecureConnector, type SecureTarget, type Security } from './security.ts';

export type PoolSettings = {
  /** HTTP/2 instead of HTTP/1.1. */
  http2?: boolean;
  /** Undefined: cleartext. */
  security?: Security | undefined;
  /** Milliseconds; 0: no limit. */
  connectTimeout: number;
  /** Idle connections that are kept. */
  maxIdle: number;
  /** Milliseconds an idle connection is kept; 0: no limit. */
  idleTimeout: number;
  /** Connections of this thread to one endpoint; 0: no limit. */
  maxConnections: number;
  /** Milliseconds a connection may be old; 0: no limit. */
  maxLifetime: number;
};

/** What the pools of an upstream share. */
export type PoolGroup = {
  wheel: TimerWheel;
  quota: ConnectionQuota;
  /** A connection has become free, or another one may be opened. */
  onRoom(): void;
  /** TLS with an endpoint failed; undefined: it is in order again. */
  onInsecure(target: SecureTarget, failure: Insecurity | undefined): void;
};

/** The connections of this thread to one endpoint. Last in, first out: spare ones grow old and go. */
export class EndpointPool implements Pool, ConnectionOwner {
  readonly address: string;
  readonly port: number;
  settings: PoolSettings;
  readonly #group: PoolGroup;
  readonly #idle: UpstreamConnection[] = [];
  /** Open or being opened. */
  readonly #connections = new Set<UpstreamConnection>();
  readonly #connector: SecureConnector;
  #closed = false;

  constructor(address: string, port: number, settings: PoolSettings, group: PoolGroup) {
    this.address = address;
    this.port = port;
    this.settings = settings;
    this.#group = group;
    this.#connector = new SecureConnector(group.onInsecure);
  }

  /** Connections that are open or being opened. */
  get open(): number {
    return this.#connections.size;
  }

  /** A request can be sent now; `acquire` does not ask. */
  get room(): boolean {
    return this.#idle.length > 0 || mayOpen(this, this.#group.quota);
  }

  /** A connection without a request: an idle one, unless `fresh`, or a new one. */
  acquire(now: number, fresh: boolean): UpstreamConnection {
    while (!fresh) {
      const connection = this.#idle.pop();
      if (!connection) break;
      if (connection.socket.destroyed || connection.socket.readableEnded) continue;
      if (isOld(connection, this.settings, now)) {
        connection.socket.destroy();
        continue;
      }
      connection.deadline.at = 0;
      return connection;
    }
    const { connectTimeout, security } = this.settings;
    const { address, port } = this;
    const target = { address, port, connectTimeout, security, connector: this.#connector };
    const connection = new UpstreamConnection(target, this, this.#group.wheel, now);
    this.#connections.add(connection);
    this.#group.quota.open++;
    return connection;
  }

  keep(connection: UpstreamConnection) {
    const { wheel, onRoom } = this.#group;
    const old = isOld(connection, this.settings, wheel.time());
    if (this.#closed || old || this.#idle.length >= this.settings.maxIdle) {
      connection.socket.destroy();
      return;
    }
    const { idleTimeout } = this.settings;
    const hint = connection.head.keepAliveHint;
    // A second less than announced, so that the upstream does not close it under a request.
    const limit =
      hint > 0 ? Math.min(idleTimeout || hint, Math.max(hint - 1000, 500)) : idleTimeout;
    if (limit > 0) wheel.arm(connection.deadline, wheel.time() + limit);
    this.#idle.push(connection);
    onRoom();
  }

  forget(connection: UpstreamConnection) {
    if (!this.#connections.delete(connection)) return;
    this.#group.quota.open--;
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#group.onRoom();
  }

  /** Closes the connection that has been idle for longest. False: there is none. */
  closeIdle(): boolean {
    const connection = this.#idle.shift();
    if (!connection) return false;
    this.forget(connection);
    connection.socket.destroy();
    return true;
  }

  /** Closes what idles; what is in use is closed when its exchange ends. */
  close() {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.socket.destroy();
  }
}
