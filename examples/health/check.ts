import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'active checks keep requests away from echo-2',
    request: 'GET /checked',
    expect: { status: 200, servedBy: { 'echo-1': 3, 'echo-3': 3 } },
    eventually: true,
  },
  {
    shows: 'two errors of echo-2, one after the other, and it is ejected',
    request: 'GET /ejected',
    headers: { 'x-echo-fail': 'echo-2' },
    expect: { status: 200, servedBy: { 'echo-1': 3, 'echo-3': 3 } },
    eventually: true,
  },
  {
    shows: 'for half a minute, whatever it would answer now',
    request: 'GET /ejected',
    expect: { status: 200, servedBy: { 'echo-1': 3, 'echo-3': 3 }, seenBy: { 4012: 0 } },
  },
];
