import type { IdentityFields } from '@gatehouse/crds';
import { expect, it } from 'vitest';
import { auth } from '../auth.ts';
import { findingsOf } from '../testing.ts';
import { checkIdentity } from './identity.ts';

const path = 'spec.identity';
const secrets = { client: { clientSecret: 'sesame' } };
const check = (fields: IdentityFields) =>
  findingsOf((context) => checkIdentity(fields, path, context), { secrets });

it('takes headers and an exchange, and sends its secret', () => {
  const { mistakes, broken, resources } = check({
    headers: [{ name: 'X-Team', expression: 'claims.team' }],
    token: 'Exchange',
    exchange: { url: 'https://issuer.test/', clientId: 'gw', clientSecretRef: { name: 'client' } },
  });
  expect([mistakes, broken]).toEqual([[], []]);
  expect([...resources.keys()]).toEqual(['policy/default/client/clientSecret']);
});

it.each<[string, IdentityFields, string[], string[]]>([
  [
    'the header that clients log in with',
    { headers: [{ name: 'Authorization', expression: '"x"' }] },
    [expect.stringContaining('spec.identity.headers[0].name: "Authorization" carries') as never],
    [],
  ],
  [
    'an exchange at no URL',
    { token: 'Exchange', exchange: { url: 'http://a:b/' } },
    ['spec.identity.exchange.url: "http://a:b/" is not a URL'],
    [],
  ],
  [
    'a secret of nobody',
    { token: 'Exchange', exchange: { url: 'http://a/', clientSecretRef: { name: 'client' } } },
    ['spec.identity.exchange.clientSecretRef: goes with clientId: give that as well'],
    [],
  ],
  [
    'a missing secret',
    {
      token: 'Exchange',
      exchange: { url: 'http://a/', clientId: 'gw', clientSecretRef: { name: 'lost' } },
    },
    [],
    ['spec.identity.exchange.clientSecretRef.name'],
  ],
])('reports %s', (_, fields, mistakes, broken) => {
  const found = check(fields);
  expect([found.mistakes, found.broken]).toEqual([mistakes, broken]);
});

it('guards what the gateway and its services say, and not what clients log in with', () => {
  const upstreamHeaders = ['X-Tenant', 'Authorization', 'Cookie'];
  const external = { url: 'http://authz.test/', upstreamHeaders };
  expect(
    auth.guardedHeaders({
      authentication: [{ name: 'service', external }],
      identity: { headers: [{ name: 'X-Team', expression: '"a"' }] },
    }),
  ).toEqual(['x-user-id', 'x-user-role', 'x-team', 'x-tenant']);
});
