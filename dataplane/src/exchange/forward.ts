import type { Parser } from '../http1/parser.ts';
import type { ForwardAction, LinkedBackend } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { refused } from '../upstreams/breaker.ts';
import { type Refusal, refusalErrors } from '../upstreams/refusals.ts';
import type { SharedLimit } from '../upstreams/shared-limit.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { balancingKey, stickyEndpoint } from './affinity.ts';
import { Delivery } from './delivery.ts';
import { answerRespond, replyError } from './direct.ts';
import type { Exchange } from './exchange.ts';
import { startMirrors } from './mirror.ts';

/** Starts the action on an exchange whose head, and perhaps some body, was parsed from `chunk`. */
export function startForward(
  exchange: Exchange,
  action: ForwardAction,
  parser: Parser,
  chunk: Buffer,
) {
  const backend = action.only ?? action.pick();
  // Gateway API, HTTPBackendRef: an unresolved reference answers 500.
  if (!backend) return replyError(exchange, 500, 'Backend not resolved');
  forwardTo(exchange, backend, parser, chunk, false);
}

/** @param last there is no fallback any more. */
function forwardTo(
  exchange: Exchange,
  backend: LinkedBackend,
  parser: Parser,
  chunk: Buffer,
  last: boolean,
) {
  const { upstream } = backend;
  if (!upstream) return replyError(exchange, 500, 'Backend not resolved');
  exchange.service = upstream.label;
  const key = balancingKey(exchange, upstream);
  const endpoint = (upstream.sticky && stickyEndpoint(exchange, upstream)) ?? upstream.pick(key);
  if (!endpoint) return answerInstead(exchange, upstream, 'no endpoint', parser, chunk, last);
  let ticket = 0;
  const { guard } = upstream;
  if (guard) {
    ticket = guard.breaker?.admit(now()) ?? 0;
    if (ticket === refused) {
      return answerInstead(exchange, upstream, 'circuit open', parser, chunk, last);
    }
    if (guard.requests && !holdPlace(exchange, guard.requests)) {
      guard.breaker?.settle(ticket, 'none', now());
      return answerInstead(exchange, upstream, 'overloaded', parser, chunk, last);
    }
  }
  const delivery = new Delivery(exchange, backend, upstream, key, parser);
  exchange.action = delivery;
  const mirrors = exchange.rule?.mirrors;
  if (mirrors) delivery.mirror = startMirrors(mirrors, exchange, delivery.text, chunk);
  delivery.begin(endpoint, ticket, chunk);
}

/** Answers a request that is not sent: by the fallback of its rule, or 503. */
function answerInstead(
  exchange: Exchange,
  upstream: Upstream,
  reason: Refusal,
  parser: Parser,
  chunk: Buffer,
  last: boolean,
) {
  upstream.refused.count(reason);
  const fallback = last ? undefined : exchange.rule?.fallback;
  if (!fallback) return replyError(exchange, 503, refusalErrors[reason]);
  upstream.refused.fallback();
  if (fallback.type === 'respond') answerRespond(exchange, fallback);
  else forwardTo(exchange, fallback.backend, parser, chunk, true);
}

/** Counts the exchange as one of those under way, until it ends. */
function holdPlace(exchange: Exchange, places: SharedLimit): boolean {
  if (!places.enter()) return false;
  exchange.atEnd ??= [];
  exchange.atEnd.push(() => places.leave());
  return true;
}
