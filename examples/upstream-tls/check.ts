import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'both sides are verified',
    request: 'GET /orders/7',
    expect: { status: 200, body: { http: '1.1', tls: 'TLSv1.3', client: 'gateway' } },
  },
  {
    shows: 'HTTP/2 over TLS',
    request: 'GET /http2',
    expect: { status: 200, body: { http: '2.0', client: 'gateway' } },
  },
  {
    shows: 'an endpoint does not let in who shows no certificate',
    request: 'GET /stranger',
    expect: { status: 502 },
  },
  {
    shows: 'an endpoint with another name is not asked',
    request: 'GET /other-name',
    expect: { status: 502 },
  },
  {
    shows: 'an endpoint that certifies itself is not asked',
    request: 'GET /impostor',
    expect: { status: 502 },
  },
];
