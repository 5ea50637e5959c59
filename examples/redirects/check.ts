import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'a prefix replaced on the same host, the method kept',
    request: 'POST /old/cart?from=mail',
    headers: { host: 'shop.example' },
    expect: { status: 308, headers: { location: 'http://shop.example/new/cart?from=mail' } },
  },
  {
    shows: 'another host and path',
    request: 'GET /blog',
    expect: { status: 302, headers: { location: 'https://blog.example.com/welcome' } },
  },
  {
    shows: 'HTTP to HTTPS',
    request: 'GET /any/path',
    headers: { host: 'secure.example' },
    expect: { status: 301, headers: { location: 'https://secure.example/any/path' } },
  },
];
