import type { Check } from '../check.ts';

/** echo-2 answers 500. */
const failing = { 'x-echo-fail': 'echo-2' };

export const checks: Check[] = [
  {
    shows: 'what echo-2 does not do another one does: no request fails',
    request: 'GET /shared',
    headers: failing,
    expect: { status: 200, servedBy: { 'echo-1': 3, 'echo-3': 3 } },
  },
  {
    shows: 'a body is sent again as well',
    request: 'PUT /shared',
    headers: failing,
    body: { name: 'tea' },
    expect: { status: 200, body: { body: '{"name":"tea"}' } },
  },
  {
    shows: 'two retries, then the last answer is passed on',
    request: 'GET /single',
    headers: failing,
    expect: { status: 500, seenBy: { 4012: 3 } },
  },
  {
    shows: 'a POST may have been processed: it is not sent again',
    request: 'POST /single',
    headers: failing,
    body: { name: 'tea' },
    expect: { status: 500, seenBy: { 4012: 1 } },
  },
];
