import type { ExpressionSource } from '@gatehouse/crds';
import type { Exchange } from '../exchange/exchange.ts';
import { Body } from '../http1/request-head.ts';
import type { Identity } from './filter.ts';

/** An exchange as expressions see it. It reads the head only when an expression asks. */
class Source implements ExpressionSource {
  identity: Identity | undefined;
  #exchange: Exchange | undefined;

  use(exchange: Exchange, identity: Identity | undefined): this {
    this.#exchange = exchange;
    this.identity = identity;
    return this;
  }

  get #current(): Exchange {
    if (!this.#exchange) throw new Error('Cannot evaluate an expression: there is no request');
    return this.#exchange;
  }

  get method() {
    return this.#current.head.method;
  }
  get path() {
    return this.#current.head.path;
  }
  get query() {
    return this.#current.head.query;
  }
  get host() {
    return this.#current.head.host;
  }
  get scheme() {
    return this.#current.client.scheme;
  }
  get requestId() {
    return this.#current.requestId;
  }
  get clientAddress() {
    return this.#current.clientAddress;
  }
  get route() {
    return this.#current.rule?.route ?? '';
  }
  get rule() {
    return this.#current.rule?.name ?? '';
  }
  get bodySize() {
    const { body, contentLength } = this.#current.head;
    return body === Body.chunked ? -1 : contentLength;
  }
  header(name: string) {
    return this.#current.head.header(name);
  }
}

const shared = new Source();

/** Valid until the next call: an evaluation never waits, so one source a thread will do. */
export function expressionSource(
  exchange: Exchange,
  identity: Identity | undefined,
): ExpressionSource {
  return shared.use(exchange, identity);
}
