import type { ExpressionIdentity, ExpressionSource } from './source.ts';

export const identity: ExpressionIdentity = {
  id: 'u-1',
  method: 'users',
  roles: ['editor', 'admin'],
  scopes: ['read', 'write'],
  consumer: 'mobile',
  plan: 'gold',
  claims: {
    tenant: 'acme',
    age: 30,
    ratio: 0.5,
    verified: true,
    nothing: null,
    groups: ['a', 'b', 'é', '😀'],
    mixed: [1, 'a', true, null, [2], { x: 1 }],
    org: { id: 'o-1', 'x-name': 'Acme', level: 3 },
    empty: '',
    'a.b': 'dotted',
  },
};

/** A request of that identity; header names are in lower case. */
export function sourceOf(
  fields: Partial<ExpressionSource> = {},
  headers: Readonly<Record<string, string>> = { 'x-tenant': 'acme', 'user-agent': 'curl/8' },
): ExpressionSource {
  return {
    method: 'GET',
    path: '/api/v2/users',
    query: 'page=2&q=a+b&q=c&flag&%61=1',
    host: 'shop.example.com',
    scheme: 'https',
    requestId: 'r-1',
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    clientAddress: '10.1.2.3',
    route: 'default/shop',
    rule: 'users',
    bodySize: 1234,
    identity,
    ...fields,
  };
}
