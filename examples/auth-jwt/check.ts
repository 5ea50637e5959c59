import type { Check } from '../check.ts';

/** Signed with the secret of secret.yaml; they expire in the year 2100. */
const alice =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsInJvbGUiOiJ1c2VyIiwiZXhwIjo0MTAyNDQ0ODAwfQ.Pudx3JAU7MBoBInwcxIyfzdXuEHtAbMpcw7MWT6TORk';
const root =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoicm9vdC0xIiwic3ViIjoiaWdub3JlZCIsInJvbGVzIjpbInVzZXIiLCJhZG1pbiJdLCJleHAiOjQxMDI0NDQ4MDB9.IfUiB0q-Tevwibq2H5PLj5BUZgqnLYnJ5sGsvygE8UU';
/** The same user in the year 2020. */
const expired =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsInJvbGUiOiJ1c2VyIiwiZXhwIjoxNTc3ODM2ODAwfQ.8bIZWyk77SbCtJijGOVmeQr5l8DhmpFWnvCk0wkvGdM';
/** Signed by https://issuer.example: for us, for another audience, without the scope. */
const partner =
  'eyJhbGciOiJSUzI1NiIsImtpZCI6InBhcnRuZXJzLTEiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhY21lIiwiYXVkIjoic2hvcCIsInNjb3BlIjoib3JkZXJzOnJlYWQiLCJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiZXhwIjo0MTAyNDQ0ODAwfQ.M4K9uq5M7Nfsy4FxSzuaiRvCTrQyHd5FGoXWgF1m7RdLbPEi1997AzcM5wS32_fN_Bq8V-zG2ekih_j2MXC9qAlygwP5s5h_5aQexla9U8EUE6ifbSppNBekbpdNfN-DgZPNwmAAy7cw06L9_XTGiOa-lAFObK6dJI5pjAgFYc09AVJQFSSeejb34apIUScs7M-m7zjLJrg61YDZ9LmIVMm927BTWRQbs6Bmmfo6mtTNcowjxsJaXxQDKUGDk0SmLFkyttnWDor4h1j_eP-g6qAql0q4Mk2XKe9jFhU-Xv7kNPYT9eHCYGJGzLwxYaLtQ5w7p7PVsISGqDCIhOnf-A';
const stranger =
  'eyJhbGciOiJSUzI1NiIsImtpZCI6InBhcnRuZXJzLTEiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhY21lIiwiYXVkIjoiYW5vdGhlciIsInNjb3BlIjoib3JkZXJzOnJlYWQiLCJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiZXhwIjo0MTAyNDQ0ODAwfQ.JjoM4ksS_0WDThBA-w-qeGWCRK96WOLD8z4ZKzbkzZ3Y0k_Atul1MekBbFQwo2sVjiEeYWM7Yq4yDIecJvUC2GtJ47USSvLltXNstKxLi8tfzKiI2yW-ba3kwN4Db4EySAEixZyYdPHj8cBIYrqhjQ7kLC_mqJx36fjkAgSaw4oOM0rcyxpNN7hqHWDh_7bC6gJKdzhRfklwMt4w7YYkw2U1iuk15bgIRBqPAB1qMhhzLSlu4AEWu6dlIev-AWRjQCzilDyAsgBnNm71QMiNRQTzpd7qZpevp5ZGjNLSA4uK7RYGvWd1ZvMQy9IHzNRfbmMsl1CR6yoxFPk1DLI3jg';
const guest =
  'eyJhbGciOiJSUzI1NiIsImtpZCI6InBhcnRuZXJzLTEiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhY21lIiwiYXVkIjoic2hvcCIsInNjb3BlIjoicHJvZmlsZSIsImlzcyI6Imh0dHBzOi8vaXNzdWVyLmV4YW1wbGUiLCJleHAiOjQxMDI0NDQ4MDB9.A63HG6kiEIk-QdxLWMtBqw5wHh0vbhYFJPucfAqG03o-itzgTleUah5XZDs4DQxuBIdWNd0jtWhWrTRDmBmtb62qyrs5wldkGHNSpyeUHej0bJGHw45Ca5b4_N8XUZhYUf62jX65kC-9LTMZohuUrksEB0C_VZ5XksPYTWEQhpq18kZDyMqSMLZWPXGl1AT1PWS_xXQ7A6mhnxF_DXUKfmLuomQwSIBtyRM722-lqyTZiRqQouTbd9l3hCtntgtBdPSqSqHnqU5okIE8n360HWZCEbQ5tNTBJT8BYI5y0sEUmEMm3Kj0L0cEeMnLQKQ3aYjAojZGorOl-eqbajH4wQ';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export const checks: Check[] = [
  {
    shows: 'no token',
    request: 'GET /api/orders',
    expect: {
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { error: 'Missing authentication token' },
    },
  },
  {
    shows: 'a token that has expired',
    request: 'GET /api/orders',
    headers: bearer(expired),
    expect: {
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
      body: { error: 'Invalid token' },
    },
  },
  {
    shows: 'a token with a changed signature',
    request: 'GET /api/orders',
    headers: bearer(`${alice.slice(0, -2)}AA`),
    expect: { status: 401, body: { error: 'Invalid token' } },
  },
  {
    shows: 'excluded paths need none',
    request: 'GET /health',
    expect: { status: 200, body: { status: 'ok' } },
  },
  {
    shows: 'the upstream learns who it is, from the token only',
    request: 'GET /api/orders',
    headers: { ...bearer(alice), 'x-user-id': 'root', x_user_role: 'admin' },
    expect: {
      status: 200,
      body: {
        headers: { 'x-user-id': 'alice', 'x-user-role': 'user', x_user_role: undefined },
      },
    },
  },
  {
    shows: 'a rule for a role refuses others',
    request: 'GET /api/admin/users',
    headers: bearer(alice),
    expect: { status: 403, body: { error: 'Forbidden' } },
  },
  {
    shows: 'a rule for a role lets it through; user_id goes before sub',
    request: 'GET /api/admin/users',
    headers: bearer(root),
    expect: {
      status: 200,
      body: { headers: { 'x-user-id': 'root-1', 'x-user-role': 'user,admin' } },
    },
  },
  {
    shows: 'a token of another issuer, by its public key; it goes no further',
    request: 'GET /partners/orders/7',
    headers: bearer(partner),
    expect: {
      status: 200,
      body: {
        headers: { 'x-partner': 'acme', 'x-scopes': 'orders:read', authorization: undefined },
      },
    },
  },
  {
    shows: 'a token for another audience',
    request: 'GET /partners/orders/7',
    headers: bearer(stranger),
    expect: { status: 401, body: { error: 'Invalid token' } },
  },
  {
    shows: 'a token without the scope',
    request: 'GET /partners/orders/7',
    headers: bearer(guest),
    expect: { status: 403, body: { error: 'Forbidden' } },
  },
  {
    shows: 'a token of the shop is none of the issuer',
    request: 'GET /partners/orders/7',
    headers: bearer(alice),
    expect: { status: 401, body: { error: 'Invalid token' } },
  },
];
