import type { Terms } from '../scenario.ts';
import { keysOf } from './keys.ts';

const apiVersion = 'apiVersion: gatehouse.dev/v1alpha1';
const target = '  targetRefs: [ { kind: Route, name: users } ]';

/** Signature and exp, of the token in Authorization; X-User-ID and X-User-Role go upstream, as by default. */
export function gatehouseJwt(terms: Terms): string {
  return [
    apiVersion,
    'kind: AuthPolicy',
    'metadata: { name: users }',
    'spec:',
    target,
    '  authentication:',
    '    - name: jwt',
    '      jwt:',
    '        issuers:',
    '          - algorithms: [ RS256 ]',
    `            inline: '${keysOf(terms).jwks}'`,
  ].join('\n');
}

/** One counter a user where there is one, otherwise one a client address, as by default. */
export function gatehouseLimit({ limit }: Terms): string {
  return [
    apiVersion,
    'kind: RateLimitPolicy',
    'metadata: { name: users }',
    'spec:',
    target,
    '  limits:',
    `    minute: { rates: [ { limit: ${limit}, window: 60s } ], burst: ${limit} }`,
  ].join('\n');
}

/** The same, counted in Redis. Should it not answer in time the answer is 503, which ends the run. */
export function gatehouseRedisLimit(terms: Terms): string {
  return [
    gatehouseLimit(terms),
    '  counting:',
    '    store: Redis',
    '    failureMode: Closed',
    `    redis: { addresses: [ "127.0.0.1:${terms.redisPort}" ], withoutPassword: true, timeout: 1s }`,
  ].join('\n');
}

export function gatehousePolicies(terms: Terms): string {
  return [gatehouseJwt(terms), gatehouseLimit(terms)].join('\n---\n');
}
