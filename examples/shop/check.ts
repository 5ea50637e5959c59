import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'a list, forwarded as it is',
    request: 'GET /api/users',
    expect: { status: 200, headers: { 'x-served-by': 'users-1' }, body: { total: 5 } },
  },
  {
    shows: 'headers set and removed on the way back',
    request: 'GET /api/users/1',
    expect: {
      status: 200,
      headers: { 'x-shop': 'gatehouse', 'x-internal-build': null },
      body: { name: 'Ada Lovelace', plan: 'premium' },
    },
  },
  {
    shows: 'a request ID that is passed on',
    request: 'GET /api/users/2',
    headers: { 'x-request-id': 'try-1' },
    expect: { status: 200, headers: { 'x-request-id': 'try-1' }, body: { name: 'Alan Turing' } },
  },
  {
    shows: 'a POST with a body',
    request: 'POST /api/users',
    body: { name: 'Barbara Liskov', email: 'barbara@example.com' },
    expect: {
      status: 201,
      headers: { location: '/api/users/6' },
      body: { id: 6, name: 'Barbara Liskov' },
    },
  },
  {
    shows: 'the prefix /api/orders stripped',
    request: 'GET /api/orders/1002',
    expect: {
      status: 200,
      headers: { 'x-served-by': 'orders-1' },
      body: { userId: 1, lines: [{ productId: 501, quantity: 1 }] },
    },
  },
  {
    shows: 'a template: the orders of a user',
    request: 'GET /api/users/3/orders',
    expect: {
      status: 200,
      headers: { 'x-served-by': 'orders-1' },
      body: { total: 2, items: [{ id: 1004 }, { id: 1006 }] },
    },
  },
  {
    shows: 'a copy of a POST sent to the next release',
    request: 'POST /api/orders',
    body: { userId: 4, lines: [{ productId: 508, quantity: 1 }] },
    expect: {
      status: 201,
      headers: { 'x-served-by': 'orders-1' },
      body: { id: 1007, userId: 4 },
      seenBy: { 4002: 1, 4007: 1 },
    },
  },
  {
    shows: 'two endpoints that take turns',
    request: 'GET /api/products',
    expect: { status: 200, servedBy: { 'products-1': 5, 'products-2': 5 } },
  },
  {
    shows: 'a header set for the backend, and a query passed on',
    request: 'GET /api/products?category=books',
    expect: {
      status: 200,
      body: {
        total: 3,
        items: [
          { id: 504, currency: 'EUR' },
          { id: 505, currency: 'EUR' },
          { id: 506, currency: 'EUR' },
        ],
      },
    },
  },
  {
    shows: 'a canary that gets one request in ten',
    request: 'GET /api/recommendations/1',
    expect: {
      status: 200,
      body: { products: [505, 507] },
      servedBy: { 'recommendations-1': 18, 'recommendations-canary': 2 },
    },
  },
  {
    shows: 'a redirect that keeps the rest of the path',
    request: 'GET /docs/returns',
    expect: {
      status: 301,
      headers: { location: 'https://docs.example.com/shop/returns' },
    },
  },
  {
    shows: 'an answer of the gateway itself',
    request: 'GET /healthz',
    expect: {
      status: 200,
      headers: { 'content-type': 'application/json', 'x-served-by': null },
      body: '{"status":"ok"}',
    },
  },
  {
    shows: 'no Route',
    request: 'GET /nowhere',
    expect: { status: 404, body: { error: 'Route not found' } },
  },
];
