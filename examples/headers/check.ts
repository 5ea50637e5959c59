import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'what the backend gets',
    request: 'GET /any',
    headers: { cookie: 'session=1', 'x-tenant': 'forged', 'accept-language': 'de' },
    expect: {
      status: 200,
      body: {
        headers: {
          host: 'backend.internal',
          'x-tenant': 'acme',
          'accept-language': 'de, en',
          cookie: undefined,
        },
      },
    },
  },
  {
    shows: 'what the client gets',
    request: 'GET /any',
    expect: {
      status: 200,
      headers: { server: 'gatehouse', 'cache-control': 'no-store', 'x-served-by': null },
    },
  },
];
