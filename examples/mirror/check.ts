import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'a copy for the mirror',
    request: 'POST /orders',
    body: { userId: 1 },
    expect: {
      status: 200,
      body: { instance: 'echo-1', body: '{"userId":1}' },
      seenBy: { 4011: 1, 4012: 1 },
    },
  },
  {
    shows: 'no copy at 0 percent',
    request: 'GET /private/1',
    expect: { status: 200, body: { instance: 'echo-1' }, seenBy: { 4011: 1, 4012: 0 } },
  },
];
