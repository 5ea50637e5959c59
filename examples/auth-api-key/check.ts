import type { Check } from '../check.ts';

const alice = 'key-of-alice-4f7c2a91';
const acme = { old: 'key-of-acme-2026-91be44', new: 'key-of-acme-2027-0c63f8' };

export const checks: Check[] = [
  {
    shows: 'no key',
    request: 'GET /api/items',
    expect: {
      status: 401,
      headers: { 'www-authenticate': 'ApiKey' },
      body: { error: 'Missing authentication token' },
    },
  },
  {
    shows: 'a key that nobody has',
    request: 'GET /api/items',
    headers: { 'x-api-key': 'key-of-nobody-00000000' },
    expect: { status: 401, body: { error: 'Invalid token' } },
  },
  {
    shows: 'the key of a user, which the backend does not see',
    request: 'GET /api/items',
    headers: { 'x-api-key': alice },
    expect: {
      status: 200,
      body: { headers: { 'x-user-id': 'alice', 'x-api-key': undefined, 'x-plan': undefined } },
    },
  },
  {
    shows: 'a key in the query is taken out of it',
    request: `GET /api/items?page=2&key=${alice}`,
    expect: { status: 200, body: { path: '/api/items?page=2', headers: { 'x-user-id': 'alice' } } },
  },
  {
    shows: 'a Consumer has roles, a plan and attributes',
    request: 'GET /api/items',
    headers: { 'x-api-key': acme.old, 'x-plan': 'platinum' },
    expect: {
      status: 200,
      body: {
        headers: {
          'x-user-id': 'acme',
          'x-user-role': 'analyst',
          'x-plan': 'gold',
          'x-region': 'eu',
        },
      },
    },
  },
  {
    shows: 'its next key counts already; an expression lets its plan and role through',
    request: 'GET /api/reports/7',
    headers: { 'x-api-key': acme.new },
    expect: { status: 200, body: { headers: { 'x-user-id': 'acme' } } },
  },
  {
    shows: 'the expression refuses others',
    request: 'GET /api/reports/7',
    headers: { 'x-api-key': alice },
    expect: { status: 403, body: { error: 'Forbidden' } },
  },
];
