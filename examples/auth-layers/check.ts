import type { Check } from '../check.ts';

const alice = { 'x-api-key': 'key-of-alice-4f7c2a91' };
const bob = { 'x-api-key': 'key-of-bob-d05b6e83aa' };
const missing = { status: 401, body: { error: 'Missing authentication token' } };
const forbidden = { status: 403, body: { error: 'Forbidden' } };

export const checks: Check[] = [
  { shows: 'the Gateway asks for a key', request: 'GET /orders/7', expect: missing },
  {
    shows: 'a policy on trial refuses nobody',
    request: 'GET /orders/7',
    headers: bob,
    expect: { status: 200, body: { headers: { 'x-user-id': 'bob', 'x-user-role': 'staff' } } },
  },
  {
    shows: 'one rule of the Route asks for a role more',
    request: 'POST /orders',
    headers: bob,
    body: { product: 1 },
    expect: forbidden,
  },
  {
    shows: 'who has it may',
    request: 'POST /orders',
    headers: alice,
    body: { product: 1 },
    expect: { status: 200, body: { headers: { 'x-user-role': 'staff,manager' } } },
  },
  {
    shows: 'an override holds on every Route',
    request: 'GET /orders/debug/heap',
    headers: alice,
    expect: forbidden,
  },
  {
    shows: 'the Route opens itself to everybody, for reading',
    request: 'GET /catalogue/7',
    expect: { status: 200, body: { headers: { 'x-user-id': undefined } } },
  },
  {
    shows: 'who has a key is known there, too',
    request: 'GET /catalogue/7',
    headers: bob,
    expect: { status: 200, body: { headers: { 'x-user-id': 'bob' } } },
  },
  {
    shows: 'while its policy does not apply, that of the Gateway does',
    request: 'POST /catalogue',
    body: { name: 'pen' },
    expect: missing,
  },
  {
    shows: 'nobody becomes anonymous by a key that is not valid',
    request: 'GET /catalogue/7',
    headers: { 'x-api-key': 'key-of-nobody-00000000' },
    expect: { status: 401, body: { error: 'Invalid token' } },
  },
];
