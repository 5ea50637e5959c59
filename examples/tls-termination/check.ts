import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'the certificate that covers the name',
    request: 'GET https://a.shop.example/cart',
    expect: { status: 200, body: { path: '/cart' } },
  },
  {
    shows: 'another certificate for another name',
    request: 'GET https://bank.example/account',
    expect: { status: 200, body: { path: '/account' } },
  },
  {
    shows: 'TLS 1.2 where it is good enough',
    request: 'GET https://a.shop.example/',
    tlsMax: '1.2',
    expect: { status: 200 },
  },
  {
    shows: 'TLS 1.2 is refused where it is not',
    request: 'GET https://bank.example/',
    tlsMax: '1.2',
    expect: { status: 0 },
  },
  {
    shows: 'no way around it by another name in the handshake',
    request: 'GET https://a.shop.example/',
    headers: { host: 'bank.example' },
    tlsMax: '1.2',
    expect: { status: 421 },
  },
];
