import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'HTTPS by the name in the certificate',
    request: 'GET https://shop.example/cart',
    expect: {
      status: 200,
      body: { path: '/cart', headers: { 'x-forwarded-proto': 'https' } },
    },
  },
  {
    shows: 'plain HTTP leads to HTTPS',
    request: 'GET /cart',
    expect: { status: 301, headers: { location: 'https://shop.example:8443/cart' } },
  },
];
