import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'six at once, two at a time: the others wait',
    request: 'GET /waits',
    headers: { 'x-echo-delay': '50' },
    atOnce: 6,
    expect: { status: 200, body: { instance: 'echo-1' }, seenBy: { 4011: 6 } },
  },
  {
    shows: 'six at once, one at a time, nobody waits: the others get the fallback',
    request: 'GET /refuses',
    headers: { 'x-echo-delay': '300' },
    atOnce: 6,
    expect: { status: 200, seenBy: { 4011: 1 } },
  },
];
