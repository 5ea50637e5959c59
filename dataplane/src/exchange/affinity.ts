import { ExpressionError } from '@gatehouse/crds';
import { expressionSource } from '../filters/expression-source.ts';
import { hash32 } from '../state/hash.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Exchange } from './exchange.ts';

/** The endpoint that the cookie of the client names, as long as it is in service. */
export function stickyEndpoint(exchange: Exchange, upstream: Upstream): Endpoint | undefined {
  const endpoint = upstream.sticky?.endpointOf(exchange.head.header('cookie'));
  return endpoint?.available === true ? endpoint : undefined;
}

/** The field line for a client that was served by another endpoint than its cookie names; '' else. */
export function stickyLine(exchange: Exchange, upstream: Upstream, served: Endpoint): string {
  const { sticky } = upstream;
  if (!sticky || sticky.endpointOf(exchange.head.header('cookie')) === served) return '';
  return sticky.setCookie(served, exchange.client.scheme === 'https');
}

/** 32 bits of what balancing goes by; drawn for a request that does not have it. */
export function balancingKey(exchange: Exchange, upstream: Upstream): number {
  const { key } = upstream.settings;
  if (!key) return 0;
  let value = '';
  try {
    value = keyText(key.evaluate(expressionSource(exchange, exchange.identity)));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
  }
  return value === '' ? Math.floor(Math.random() * 2 ** 32) : hash32(value);
}

function keyText(value: unknown): string {
  return Array.isArray(value) ? value.join('\n') : String(value);
}
