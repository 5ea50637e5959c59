import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'round robin by weight',
    request: 'GET /by-weight',
    expect: { status: 200, servedBy: { 'echo-1': 4, 'echo-2': 2, 'echo-3': 2 } },
  },
  {
    shows: 'the less busy of two',
    request: 'GET /least-busy',
    expect: { status: 200, headers: { 'x-served-by': /^echo-[123]$/ } },
  },
  {
    shows: 'a user stays with an endpoint',
    request: 'GET /by-user',
    headers: { 'x-user': 'ada' },
    expect: { status: 200, servedByOne: 8 },
  },
  {
    shows: 'so does another',
    request: 'GET /by-user',
    headers: { 'x-user': 'grace' },
    expect: { status: 200, servedByOne: 8 },
  },
  {
    shows: 'a session begins: the cookie names the endpoint',
    request: 'GET /session',
    expect: {
      status: 200,
      headers: {
        'set-cookie':
          /^gatehouse-session=[\w-]{16}; Path=\/session; Max-Age=3600; HttpOnly; SameSite=Lax$/,
      },
    },
  },
];
