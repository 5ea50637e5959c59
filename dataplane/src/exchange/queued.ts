import { now } from '../state/clock.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { replyTimeout } from './direct.ts';
import type { Exchange, RunningAction } from './exchange.ts';

/** What becomes of a request that waits for a connection. */
export type Outcomes = {
  /** An endpoint with room for it; undefined: it waits on. */
  find(): Endpoint | undefined;
  go(endpoint: Endpoint): void;
  /** It has waited for as long as it may, or too many wait. */
  giveUp(): void;
};

/** A request that waits for a connection before it is sent for the first time. Nothing of it is read meanwhile. */
export class Queued implements RunningAction {
  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #outcomes: Outcomes;
  /** When it is given up, and the end of the whole exchange. */
  readonly #until: number;
  readonly #end: number;
  #leave: (() => void) | undefined;

  constructor(exchange: Exchange, upstream: Upstream, outcomes: Outcomes) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#outcomes = outcomes;
    this.#until = now() + upstream.settings.connections.queueTimeout;
    const request = exchange.rule?.timeouts.request ?? 0;
    this.#end = request > 0 ? exchange.startedAt + request : Number.POSITIVE_INFINITY;
  }

  start() {
    const exchange = this.#exchange;
    const route = exchange.rule?.route ?? '';
    this.#leave = this.#upstream.wait(route, () => this.#serve());
    if (!this.#leave) return this.#outcomes.giveUp();
    exchange.action = this;
    if (!exchange.requestDone) exchange.client.pause();
    exchange.client.arm(Math.min(this.#until, this.#end));
  }

  #serve(): boolean {
    const endpoint = this.#outcomes.find();
    if (!endpoint) return false;
    try {
      this.#resume();
      this.#outcomes.go(endpoint);
    } catch (error) {
      this.#exchange.action?.onClientGone();
      this.#exchange.client.fail(this.#exchange, error);
    }
    return true;
  }

  #resume() {
    if (!this.#exchange.requestDone) this.#exchange.client.resume();
  }

  onRequestBody() {
    throw new Error('Cannot read a request body: the exchange waits for a connection');
  }

  onClientWritable() {
    // Nothing is written meanwhile.
  }

  onClientGone() {
    this.#leave?.();
  }

  onDeadline(at: number) {
    if (at < Math.min(this.#until, this.#end)) {
      return this.#exchange.client.arm(Math.min(this.#until, this.#end));
    }
    this.#leave?.();
    this.#resume();
    if (at >= this.#end) replyTimeout(this.#exchange);
    else this.#outcomes.giveUp();
  }
}
