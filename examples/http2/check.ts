import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'HTTP/2 without TLS, by prior knowledge',
    request: 'GET /cart',
    http2: true,
    expect: { status: 200, body: { path: '/cart', headers: { via: '2.0 gatehouse' } } },
  },
  {
    shows: 'HTTP/1.1 on the same port',
    request: 'GET /cart',
    expect: { status: 200, body: { path: '/cart', headers: { via: '1.1 gatehouse' } } },
  },
  {
    shows: 'HTTP/2 over TLS, by ALPN',
    request: 'GET https://shop.example/cart',
    http2: true,
    expect: { status: 200, body: { path: '/cart', headers: { via: '2.0 gatehouse' } } },
  },
  {
    shows: 'a body',
    request: 'POST https://shop.example/orders',
    http2: true,
    body: { item: 7 },
    expect: { status: 200, body: { method: 'POST', body: '{"item":7}' } },
  },
  {
    shows: 'many requests over one connection',
    request: 'GET https://bank.example/',
    http2: true,
    expect: { status: 200, servedBy: { 'echo-1': 50 } },
  },
  {
    shows: 'a host of another listener needs a connection of its own',
    request: 'GET https://shop.example/',
    http2: true,
    headers: { host: 'bank.example' },
    expect: { status: 421, body: { error: 'Misdirected request' } },
  },
];
