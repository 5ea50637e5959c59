import type { IntrospectionMethod } from '@gatehouse/crds';
import { expect, it } from 'vitest';
import { findingsOf } from '../testing.ts';
import { checkIntrospection } from './introspection.ts';

const path = 'spec.authentication[0].introspection';
const url = 'https://issuer.test/introspect';
const secrets = { client: { clientSecret: 'sesame' }, empty: { clientSecret: '\n' } };
const check = (config: IntrospectionMethod) =>
  findingsOf((context) => checkIntrospection(config, path, context), { secrets });

it('takes a good one, and sends its secret', () => {
  const config = {
    url,
    clientId: 'gw',
    clientSecretRef: { name: 'client' },
    timeout: '1s',
    cache: '0s',
  };
  const { mistakes, broken, resources } = check(config);
  expect([mistakes, broken, [...resources.keys()]]).toEqual([
    [],
    [],
    ['policy/default/client/clientSecret'],
  ]);
});

it.each<[string, Partial<IntrospectionMethod>, string[], string[]]>([
  ['a URL that is none', { url: 'http://[::1' }, [`${path}.url: "http://[::1" is not a URL`], []],
  [
    'port 0',
    { url: 'http://a:0/' },
    [`${path}.url: "http://a:0/" has port 0, where nobody listens`],
    [],
  ],
  [
    'a port beyond',
    { url: 'http://a:65536/' },
    [`${path}.url: "http://a:65536/" is not a URL`],
    [],
  ],
  [
    'a secret of nobody',
    { clientSecretRef: { name: 'client' } },
    [`${path}.clientSecretRef: goes with clientId: give that as well`],
    [],
  ],
  [
    'an empty secret',
    { clientId: 'gw', clientSecretRef: { name: 'empty' } },
    [`${path}.clientSecretRef: entry "clientSecret" of Secret "empty" is empty`],
    [],
  ],
  [
    'a missing Secret',
    { clientId: 'gw', clientSecretRef: { name: 'lost' } },
    [],
    [`${path}.clientSecretRef.name`],
  ],
  [
    'a missing entry',
    { clientId: 'gw', clientSecretRef: { name: 'client', key: 'other' } },
    [],
    [`${path}.clientSecretRef.key`],
  ],
  [
    'no time',
    { timeout: '0s' },
    [`${path}.timeout: must be longer than 0: without a limit requests would wait for ever`],
    [],
  ],
  [
    'too much time',
    { timeout: '2m' },
    [`${path}.timeout: must be at most 60s: requests wait for it`],
    [],
  ],
])('reports %s', (_, config, mistakes, broken) => {
  const found = check({ url, ...config });
  expect([found.mistakes, found.broken]).toEqual([mistakes, broken]);
});
