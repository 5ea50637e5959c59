import type { Check } from '../check.ts';

const gold = { 'x-api-key': 'key-of-acme-2026-91be44' };
const free = { 'x-api-key': 'key-of-hobby-5d21c7be90' };

export const checks: Check[] = [
  {
    shows: 'the limits of the free plan, of which the tightest is told first',
    request: 'GET /api/items',
    headers: free,
    expect: {
      status: 200,
      headers: {
        'x-ratelimit-limit': '3',
        'x-ratelimit-remaining': '2',
        'ratelimit-policy': '"backend";q=1000;w=1, "free";q=3;w=60, "free";q=50;w=86400',
      },
    },
  },
  {
    shows: 'its end',
    request: 'GET /api/items',
    headers: free,
    after: 3,
    expect: { status: 429, body: { error: 'Rate limit exceeded' } },
  },
  {
    shows: 'the limit of the gold plan',
    request: 'GET /api/items',
    headers: gold,
    after: 20,
    expect: {
      status: 200,
      headers: { 'ratelimit-policy': '"backend";q=1000;w=1, "gold";q=600;w=60' },
    },
  },
];
