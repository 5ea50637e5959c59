import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'an address by its name',
    request: 'GET /by-address',
    expect: { status: 200, headers: { 'x-served-by': 'echo-3' } },
    eventually: true,
  },
  {
    shows: 'services with their weights',
    request: 'GET /by-service',
    expect: { status: 200, servedBy: { 'echo-1': 6, 'echo-2': 2 } },
    eventually: true,
  },
  {
    shows: 'a name that does not exist has no endpoints; the status says so',
    request: 'GET /nowhere',
    expect: { status: 503 },
  },
];
