import type { Check } from '../check.ts';

/** The echo backend answers with this status. */
const failing = { 'x-echo-status': '500' };

export const checks: Check[] = [
  {
    shows: 'two failures are passed on',
    request: 'GET /users',
    headers: failing,
    expect: { status: 500, servedBy: { 'echo-1': 2 } },
  },
  {
    shows: 'then the breaker is open: nobody is asked',
    request: 'GET /users',
    expect: { status: 503, body: { error: 'Circuit breaker open' }, seenBy: { 4011: 0 } },
  },
  {
    shows: 'each upstream has a breaker of its own',
    request: 'GET /orders',
    headers: failing,
    expect: { status: 500, servedBy: { 'echo-1': 2 } },
  },
  {
    shows: 'the fallback of a rule: a static body',
    request: 'GET /orders',
    expect: { status: 200, body: { orders: [] }, seenBy: { 4011: 0 } },
  },
  {
    shows: 'by rate: requests that succeed count as well',
    request: 'GET /products',
    expect: { status: 200, servedBy: { 'echo-2': 2 } },
  },
  {
    shows: 'half of four failed',
    request: 'GET /products',
    headers: failing,
    expect: { status: 500, servedBy: { 'echo-2': 2 } },
  },
  {
    shows: 'the fallback of a rule: another backend',
    request: 'POST /products',
    body: { name: 'tea' },
    expect: {
      status: 200,
      body: { instance: 'echo-3', body: '{"name":"tea"}' },
      seenBy: { 4012: 0 },
    },
  },
];
