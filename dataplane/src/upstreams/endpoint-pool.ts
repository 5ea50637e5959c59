import type { TimerWheel } from '../state/timer-wheel.ts';
import { type ConnectionOwner, UpstreamConnection } from './connection.ts';

export type PoolSettings = {
  /** Milliseconds; 0: no limit. */
  connectTimeout: number;
  /** Idle connections that are kept. */
  maxIdle: number;
  /** Milliseconds an idle connection is kept; 0: no limit. */
  idleTimeout: number;
};

/** The connections of this thread to one endpoint. Last in, first out: spare ones grow old and go. */
export class EndpointPool implements ConnectionOwner {
  readonly address: string;
  readonly port: number;
  settings: PoolSettings;
  readonly #wheel: TimerWheel;
  readonly #idle: UpstreamConnection[] = [];
  #open = 0;
  #closed = false;

  constructor(address: string, port: number, settings: PoolSettings, wheel: TimerWheel) {
    this.address = address;
    this.port = port;
    this.settings = settings;
    this.#wheel = wheel;
  }

  /** Connections that are open or being opened. */
  get open(): number {
    return this.#open;
  }

  /** A connection without a request: an idle one, unless `fresh`, or a new one. */
  acquire(now: number, fresh: boolean): UpstreamConnection {
    while (!fresh) {
      const connection = this.#idle.pop();
      if (!connection) break;
      if (connection.socket.destroyed || connection.socket.readableEnded) continue;
      connection.deadline.at = 0;
      return connection;
    }
    this.#open++;
    const { connectTimeout } = this.settings;
    return new UpstreamConnection(
      { address: this.address, port: this.port, connectTimeout },
      this,
      this.#wheel,
      now,
    );
  }

  keep(connection: UpstreamConnection) {
    if (this.#closed || this.#idle.length >= this.settings.maxIdle) {
      connection.socket.destroy();
      return;
    }
    const { idleTimeout } = this.settings;
    const hint = connection.head.keepAliveHint;
    // A second less than announced, so that the upstream does not close it under a request.
    const limit =
      hint > 0 ? Math.min(idleTimeout || hint, Math.max(hint - 1000, 500)) : idleTimeout;
    if (limit > 0) this.#wheel.arm(connection.deadline, this.#wheel.time() + limit);
    this.#idle.push(connection);
  }

  forget(connection: UpstreamConnection) {
    this.#open--;
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Closes what idles; what is in use is closed when its exchange ends. */
  close() {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.socket.destroy();
  }
}
