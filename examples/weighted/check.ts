import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'shares of 70, 20 and 10',
    request: 'GET /',
    expect: { status: 200, servedBy: { 'echo-1': 14, 'echo-2': 4, 'echo-3': 2 } },
  },
];
