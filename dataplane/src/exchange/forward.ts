import type { ForwardAction, LinkedBackend } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { refused } from '../upstreams/breaker.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import { type Refusal, refusalErrors } from '../upstreams/refusals.ts';
import type { SharedLimit } from '../upstreams/shared-limit.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { balancingKey, stickyEndpoint } from './affinity.ts';
import { Delivery } from './delivery.ts';
import { answerRespond, replyError } from './direct.ts';
import type { Exchange } from './exchange.ts';
import { startMirrors } from './mirror.ts';
import { Queued } from './queued.ts';
import { wantedUpgrade } from './upgrade.ts';

/** Starts the action on an exchange whose head, and perhaps some body, was parsed from `chunk`. */
export function startForward(exchange: Exchange, action: ForwardAction, chunk: Buffer) {
  const upgrades = exchange.rule?.upgrades;
  if (upgrades) exchange.upgrade = wantedUpgrade(exchange.head, upgrades);
  const backend = action.only ?? action.pick();
  // Gateway API, HTTPBackendRef: an unresolved reference answers 500.
  if (!backend) return replyError(exchange, 500, 'Backend not resolved');
  forwardTo({ exchange, backend, chunk, last: false });
}

/** A request and where it goes. */
type Errand = {
  exchange: Exchange;
  backend: LinkedBackend;
  chunk: Buffer;
  /** There is no fallback any more. */
  last: boolean;
};

function forwardTo(errand: Errand) {
  const { exchange, backend } = errand;
  const { upstream } = backend;
  if (!upstream) return replyError(exchange, 500, 'Backend not resolved');
  exchange.service = upstream.label;
  const key = balancingKey(exchange, upstream);
  const bound = upstream.sticky && stickyEndpoint(exchange, upstream);
  const picked = bound ?? upstream.pick(key);
  if (!picked) return answerInstead(errand, upstream, 'no endpoint');
  if (!upstream.limitsConnections) return send(errand, upstream, key, picked);
  // Whoever waits already comes first.
  const first = upstream.line.length === 0;
  const endpoint = first ? upstream.withRoom(picked, bound !== undefined) : undefined;
  if (endpoint) return send(errand, upstream, key, endpoint);
  const queued = new Queued(exchange, upstream, {
    find() {
      const sticky = upstream.sticky && stickyEndpoint(exchange, upstream);
      const other = sticky ?? upstream.pick(key);
      return other && upstream.withRoom(other, sticky !== undefined);
    },
    go: (found) => send(errand, upstream, key, found),
    giveUp: () => answerInstead(errand, upstream, 'no connection'),
  });
  queued.start();
}

/** Sends the request, if the guard of the upstream lets it through. */
function send(errand: Errand, upstream: Upstream, key: number, endpoint: Endpoint) {
  const { exchange, backend, chunk } = errand;
  let ticket = 0;
  const { guard } = upstream;
  if (guard) {
    ticket = guard.breaker?.admit(now()) ?? 0;
    if (ticket === refused) return answerInstead(errand, upstream, 'circuit open');
    if (guard.requests && !holdPlace(exchange, guard.requests)) {
      guard.breaker?.settle(ticket, 'none', now());
      return answerInstead(errand, upstream, 'overloaded');
    }
  }
  const delivery = new Delivery(exchange, backend, upstream, key);
  exchange.action = delivery;
  // A copy must not open a second tunnel.
  const mirrors = exchange.upgrade === '' ? exchange.rule?.mirrors : undefined;
  if (mirrors) delivery.mirror = startMirrors(mirrors, exchange, delivery.text, chunk);
  delivery.begin(endpoint, ticket, chunk);
}

/** Answers a request that is not sent: by the fallback of its rule, or 503. */
function answerInstead(errand: Errand, upstream: Upstream, reason: Refusal) {
  const { exchange, last } = errand;
  upstream.refused.count(reason);
  const fallback = last ? undefined : exchange.rule?.fallback;
  if (!fallback) return replyError(exchange, 503, refusalErrors[reason]);
  upstream.refused.fallback();
  if (fallback.type === 'respond') answerRespond(exchange, fallback);
  else forwardTo({ ...errand, backend: fallback.backend, last: true });
}

/** Counts the exchange as one of those under way, until it ends. */
function holdPlace(exchange: Exchange, places: SharedLimit): boolean {
  if (!places.enter()) return false;
  exchange.atEnd ??= [];
  exchange.atEnd.push(() => places.leave());
  return true;
}
