import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'instances with their weights',
    request: 'GET /all',
    expect: { status: 200, servedBy: { 'echo-1': 6, 'echo-2': 2 } },
    eventually: true,
  },
  {
    shows: 'those with a tag',
    request: 'GET /tagged',
    expect: { status: 200, servedBy: { 'echo-2': 4 } },
    eventually: true,
  },
  {
    shows: 'a service that Consul does not know has no endpoints; the status says so',
    request: 'GET /unknown',
    expect: { status: 503 },
  },
];
