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

export function gatehousePolicies(terms: Terms): string {
  return [gatehouseJwt(terms), gatehouseLimit(terms)].join('\n---\n');
}
