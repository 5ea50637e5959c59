import type { Check } from '../check.ts';

const alice = { 'x-api-key': 'key-of-alice-4f7c2a91' };
const bob = { 'x-api-key': 'key-of-bob-d05b6e83aa' };
const exceeded = { error: 'Rate limit exceeded' };

export const checks: Check[] = [
  {
    shows: 'an answer tells what is left',
    request: 'GET /api/items',
    headers: alice,
    expect: {
      status: 200,
      headers: {
        'x-ratelimit-limit': '60',
        'x-ratelimit-remaining': '99',
        'x-ratelimit-reset': '1',
        'ratelimit-policy': '"per-user";q=60;w=60',
        ratelimit: '"per-user";r=99;t=1',
        'retry-after': null,
      },
    },
  },
  {
    shows: 'a user who sent more than the burst has to wait',
    request: 'GET /api/items',
    headers: alice,
    after: 150,
    expect: {
      status: 429,
      headers: { 'x-ratelimit-remaining': '0', 'retry-after': '1' },
      body: exceeded,
    },
  },
  {
    shows: 'others need not',
    request: 'GET /api/items',
    headers: bob,
    expect: { status: 200, headers: { 'x-ratelimit-remaining': '99' } },
  },
  {
    shows: 'two limits count a search; the tightest is told, and both by name',
    request: 'GET /api/search?all=1',
    headers: bob,
    expect: {
      status: 200,
      headers: {
        'x-ratelimit-limit': '20',
        'x-ratelimit-remaining': '10',
        'ratelimit-policy': '"searches";q=20;w=3600, "per-user";q=60;w=60',
      },
    },
  },
  {
    shows: 'a request that costs more than what is left is refused',
    request: 'GET /api/search?all=1',
    headers: bob,
    after: 1,
    expect: { status: 429, headers: { 'x-ratelimit-limit': '20' }, body: exceeded },
  },
];
