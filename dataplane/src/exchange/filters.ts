import type { Filter } from '../filters/filter.ts';
import { dropGuarded } from '../http1/guarded-names.ts';
import { errorReply, type Reply } from '../http1/reply.ts';
import type { LinkedListener } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { startAction } from './action.ts';
import type { Exchange, RunningAction } from './exchange.ts';

/**
 * Serves an exchange: the filters of its match, then the action of its rule.
 * @param listener that serves the host of the request.
 * @param chunk the one that the head, and perhaps some body, was found in.
 */
export function startExchange(
  exchange: Exchange,
  listener: LinkedListener | undefined,
  chunk: Buffer,
) {
  const { head } = exchange;
  if (listener?.guarded) dropGuarded(listener.guarded, head.message, head.codes);
  exchange.match = listener?.router.match(head);
  const filters = exchange.match?.target.filters;
  if (filters) runFilters(exchange, filters, 0, chunk);
  else startAction(exchange, chunk);
}

function runFilters(exchange: Exchange, filters: readonly Filter[], from: number, chunk: Buffer) {
  for (let i = from; i < filters.length; i++) {
    const outcome = filters[i]?.onRequest(exchange);
    if (outcome === undefined) continue;
    if (!(outcome instanceof Promise)) return exchange.client.reply(exchange, outcome);
    const waiting = new Waiting(exchange);
    exchange.action = waiting;
    // The head and what came with it stay as they are: nothing is read meanwhile.
    exchange.client.pause();
    const proceed = (reply: Reply | undefined) => {
      if (!waiting.end()) return;
      exchange.client.resume();
      if (reply) exchange.client.reply(exchange, reply);
      else runFilters(exchange, filters, i + 1, chunk);
    };
    outcome.then(proceed).catch((error: unknown) => {
      waiting.end();
      if (!exchange.responseDone) exchange.client.fail(exchange, error);
    });
    return;
  }
  startAction(exchange, chunk);
}

/** An exchange that waits for a filter. */
class Waiting implements RunningAction {
  readonly #exchange: Exchange;
  readonly #deadline: number;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    const request = exchange.rule?.timeouts.request ?? 0;
    this.#deadline = request > 0 ? exchange.startedAt + request : Number.POSITIVE_INFINITY;
    this.onDeadline(now());
  }

  /** False when the exchange does not wait any more: it ran out of time, or its client has gone. */
  end(): boolean {
    if (this.#exchange.action !== this) return false;
    this.#exchange.action = undefined;
    return true;
  }

  onRequestBody() {
    throw new Error('Cannot read a request body: the exchange waits for a filter');
  }

  onClientWritable() {
    // Nothing is written while a filter decides.
  }

  onClientGone() {
    // What the filter finds out has no use any more; see `end`.
  }

  onDeadline(at: number) {
    const { client } = this.#exchange;
    if (at < this.#deadline) return client.arm(Math.min(this.#deadline, at + longestPause));
    this.end();
    client.reply(this.#exchange, errorReply(504, 'Gateway timeout'));
  }
}

/** Milliseconds between two looks at the clock when there is no limit. */
const longestPause = 60_000;
