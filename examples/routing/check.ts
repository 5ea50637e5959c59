import type { Check } from '../check.ts';

function rule(shows: string, request: string, rule: string, more: Partial<Check> = {}): Check {
  return { shows, request, expect: { status: 200, headers: { 'x-rule': rule } }, ...more };
}

export const checks: Check[] = [
  rule('exact path', 'GET /shop', 'exact'),
  rule('prefix', 'GET /shop/cart', 'prefix'),
  rule('regular expression', 'GET /v2/anything', 'regex'),
  rule('a header', 'GET /shop/cart', 'header', { headers: { 'x-beta': 'yes' } }),
  rule('a query parameter', 'GET /shop/cart?preview', 'query'),
  rule('a host', 'GET /shop', 'tenant', { headers: { host: 'blue.tenant.example' } }),
  {
    shows: 'a template and its variable in the rewritten path',
    request: 'GET /shop/books/items/504',
    expect: { status: 200, headers: { 'x-rule': 'template' }, body: { path: '/items/504' } },
  },
  {
    shows: 'a method',
    request: 'DELETE /shop/cart',
    expect: { status: 405, body: { error: 'The shop deletes nothing' } },
  },
  {
    shows: 'a prefix matches whole segments only',
    request: 'GET /shopping',
    expect: { status: 404, body: { error: 'Route not found' } },
  },
];
