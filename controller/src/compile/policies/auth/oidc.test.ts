import type { OidcMethod } from '@gatehouse/crds';
import { expect, it } from 'vitest';
import { findingsOf, type TestObjects } from '../testing.ts';
import { checkOidc } from './oidc.ts';

const path = 'spec.authentication[0].oidc';
const secrets = {
  client: { clientSecret: 'sesame' },
  cookies: { cookieSecret: 'x'.repeat(32), short: 'x'.repeat(31) },
};
const good: OidcMethod = {
  issuer: 'https://login.test/realm',
  clientId: 'shop',
  clientSecretRef: { name: 'client' },
  cookieSecretRef: { name: 'cookies' },
};
const check = (config: Partial<OidcMethod>, objects: TestObjects = { secrets }) =>
  findingsOf((context) => checkOidc({ ...good, ...config }, path, context), objects);

it('takes a good one, and sends its secrets', () => {
  const { mistakes, broken, resources } = check({
    scopes: ['profile', 'api:read'],
    sessionLifetime: '1h',
    redirectPath: '/in',
    logoutPath: '/out.now',
  });
  expect([mistakes, broken]).toEqual([[], []]);
  expect([...resources.keys()].sort()).toEqual([
    'policy/default/client/clientSecret',
    'policy/default/cookies/cookieSecret',
  ]);
});

it.each<[string, Partial<OidcMethod>, string[]]>([
  [
    'an issuer that is no URL',
    { issuer: 'https://a:b' },
    [`${path}.issuer: "https://a:b" is not a URL`],
  ],
  [
    'an issuer with a query',
    { issuer: 'https://a/?b' },
    [`${path}.issuer: has a query, which no issuer has (OpenID Connect Discovery section 3)`],
  ],
  [
    'a short secret for cookies',
    { cookieSecretRef: { name: 'cookies', key: 'short' } },
    [
      `${path}.cookieSecretRef: entry "short" of Secret "default/cookies" is shorter than 32 bytes: make one of random bytes, e.g. by "openssl rand -base64 48"`,
    ],
  ],
  [
    'a path for two things',
    { redirectPath: '/a', logoutPath: '/a' },
    [`${path}.logoutPath: is redirectPath as well: give another`],
  ],
  [
    'a path that changes',
    { redirectPath: '/a/../b' },
    [expect.stringContaining(`${path}.redirectPath: must be`) as never],
  ],
  [
    'a path with an escape',
    { logoutPath: '/a%20b' },
    [expect.stringContaining(`${path}.logoutPath: must be`) as never],
  ],
  [
    'the root',
    { logoutPath: '/' },
    [expect.stringContaining(`${path}.logoutPath: must be`) as never],
  ],
  [
    'two scopes in one',
    { scopes: ['a b'] },
    [expect.stringContaining(`${path}.scopes[0]: is no scope`) as never],
  ],
  ['no time at all', { sessionLifetime: '10ms' }, [`${path}.sessionLifetime: must be at least 1s`]],
])('reports %s', (_, config, mistakes) => {
  const found = check(config);
  expect([found.mistakes, found.broken]).toEqual([mistakes, []]);
});

it('leaves it to the context to tell of what is missing', () => {
  expect(check({}, {}).broken).toEqual([
    `${path}.clientSecretRef.name`,
    `${path}.cookieSecretRef.name`,
  ]);
});
