import { now } from '../state/clock.ts';
import type { UpstreamConnection, UpstreamTunnel } from '../upstreams/connection.ts';
import type { Attempt } from './attempt.ts';
import type { ClientTunnel, Exchange, TunnelEnd } from './exchange.ts';

/**
 * A connection that has switched to another protocol: bytes go both ways as they come. Either side may end
 * its half; the tunnel is over when both have, or one is gone.
 */
export class Tunnel implements ClientTunnel, UpstreamTunnel {
  readonly #exchange: Exchange;
  readonly #client: TunnelEnd;
  readonly #attempt: Attempt;
  readonly #connection: UpstreamConnection;
  /** Milliseconds of silence both ways; 0: no limit. */
  readonly #idle: number;
  #lastActivity = now();
  #clientEnded = false;
  #upstreamEnded = false;

  constructor(
    exchange: Exchange,
    client: TunnelEnd,
    attempt: Attempt,
    connection: UpstreamConnection,
  ) {
    this.#client = client;
    this.#exchange = exchange;
    this.#attempt = attempt;
    this.#connection = connection;
    this.#idle = exchange.rule?.timeouts.idle ?? 0;
  }

  /** @param rest what the upstream sent behind its 101. */
  open(rest: Buffer) {
    this.#connection.openTunnel(this);
    this.#client.open(this.#exchange, this);
    if (rest.length > 0) this.onUpstreamBytes(rest);
    if (this.#idle > 0) this.#exchange.client.arm(this.#lastActivity + this.#idle);
  }

  onClientBytes(chunk: Buffer) {
    this.#lastActivity = now();
    if (!this.#connection.write(chunk)) this.#exchange.client.pause();
  }

  onUpstreamBytes(chunk: Buffer) {
    this.#lastActivity = now();
    this.#exchange.bytesSent += chunk.length;
    if (!this.#client.pass(chunk)) this.#connection.pause();
  }

  onUpstreamWritable() {
    this.#lastActivity = now();
    this.#exchange.client.resume();
  }

  onClientWritable() {
    this.#lastActivity = now();
    this.#connection.resume();
  }

  onClientEnd() {
    this.#clientEnded = true;
    this.#connection.end();
  }

  onUpstreamEnd() {
    this.#upstreamEnded = true;
    this.#client.end();
  }

  onUpstreamGone() {
    this.#attempt.leave();
    // What it sent before its end is still delivered; after a reset the client must not take it for one.
    if (this.#upstreamEnded) this.#client.close(this.#exchange);
    else this.#exchange.client.cut(this.#exchange);
  }

  onClientGone() {
    this.#attempt.leave();
    if (this.#clientEnded) this.#connection.closeTunnel();
    else this.#connection.abort();
  }

  onDeadline(at: number) {
    if (this.#idle === 0) return;
    const deadline = this.#lastActivity + this.#idle;
    if (deadline > at) return this.#exchange.client.arm(deadline);
    this.#attempt.leave();
    this.#connection.abort();
    this.#client.close(this.#exchange);
  }

  onRequestBody() {
    throw new Error('Cannot read a request body: the connection is a tunnel');
  }
}
