import { generateKeyPairSync } from 'node:crypto';
import type { JwtMethod } from '@gatehouse/crds';
import { describe, expect, it } from 'vitest';
import { findingsOf, type TestObjects } from '../testing.ts';
import { checkJwt } from './jwt.ts';

const path = 'spec.authentication[0].jwt';
const check = (config: JwtMethod, objects: TestObjects = {}) =>
  findingsOf((context) => checkJwt(config, path, context), objects);

const jwkOf = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });
const rsa = jwkOf(2048);
const inline = JSON.stringify({ keys: [rsa] });
const jwks = { url: 'https://issuer.test/jwks' };
const secretRef = { name: 'users' };
const secrets = { users: { secret: 's'.repeat(40), other: new Uint8Array(64) } };
type Issuer = JwtMethod['issuers'][number];

describe('a JWT method', () => {
  it.each<[string, Issuer[]]>([
    ['remote keys', [{ jwks: { ...jwks, refresh: '10s', timeout: '60s' }, algorithms: ['ES256'] }]],
    ['remote keys without TLS', [{ jwks: { url: 'http://issuer.auth.svc:8080/jwks?a=b' } }]],
    ['keys of its own', [{ inline, algorithms: ['RS256', 'PS512'] }]],
    ['a secret', [{ secretRef, algorithms: ['HS256'] }]],
    ['a long secret', [{ secretRef: { ...secretRef, key: 'other' }, algorithms: ['HS512'] }]],
    [
      'several issuers',
      [
        { issuer: 'a', inline },
        { issuer: 'b', jwks },
      ],
    ],
  ])('with %s is fine', (_, issuers) => {
    const { mistakes, broken } = check({ issuers, clockSkew: '10m' }, { secrets });
    expect([mistakes, broken]).toEqual([[], []]);
  });

  it('puts its secret into the snapshot', () => {
    const { resources } = check({ issuers: [{ secretRef }] }, { secrets });
    expect([...resources.keys()]).toEqual(['policy/default/users/secret']);
  });

  it.each<[string, Issuer | Issuer[], Partial<JwtMethod>, string[]]>([
    ['broken JSON', { inline: '{"keys":' }, {}, ['issuers[0].inline: is not JSON']],
    [
      'HTML',
      { inline: '<html>' },
      {},
      ['issuers[0].inline: is HTML or XML, not a JSON Web Key Set'],
    ],
    [
      'no keys',
      { inline: '{"keys":[]}' },
      {},
      ['issuers[0].inline: keys holds no key that signatures can be verified with'],
    ],
    [
      'a private and a symmetric key',
      { inline: JSON.stringify({ keys: [{ ...rsa, d: 'AA' }, { kty: 'oct', k: 'AA' }, rsa] }) },
      {},
      [
        'issuers[0].inline: keys[0] is a private key: publish the public key only, and make a new pair',
        'issuers[0].inline: keys[1] is a symmetric key: give it by secretRef, in a Secret',
      ],
    ],
    [
      'a key of 512 bits',
      { inline: JSON.stringify({ keys: [jwkOf(512)] }) },
      {},
      [
        'issuers[0].inline: keys[0] is an RSA key of 512 bits: at least 2048 are needed (RFC 7518 section 3.3)',
      ],
    ],
    [
      'algorithms that no key has',
      { inline, algorithms: ['RS256', 'ES256', 'HS256'] },
      {},
      [
        'issuers[0].algorithms[1]: ES256 goes with no key of inline',
        'issuers[0].algorithms[2]: HS256 needs a secret: use secretRef, or an algorithm of public keys',
      ],
    ],
    [
      'HMAC by public keys',
      { jwks, algorithms: ['HS512'] },
      {},
      [
        'issuers[0].algorithms[0]: HS512 needs a secret: use secretRef, or an algorithm of public keys',
      ],
    ],
    [
      'public-key algorithms for a secret',
      { secretRef, algorithms: ['RS256'] },
      {},
      [
        'issuers[0].algorithms[0]: RS256 needs a public key: use jwks or inline, or HS256, HS384 or HS512',
      ],
    ],
    [
      'a secret that is too short for one algorithm',
      { secretRef, algorithms: ['HS256', 'HS384'] },
      {},
      [
        'issuers[0].algorithms[1]: HS384 needs a secret of 48 bytes at least; that of secretRef has 40',
      ],
    ],
    [
      'a secret that is too short for all',
      { secretRef: { name: 'short' } },
      {},
      [
        'issuers[0].secretRef: the secret has 31 bytes: HS256 needs 32 at least, e.g. from "openssl rand -base64 48"',
      ],
    ],
    [
      'several issuers that nothing tells apart',
      [{ inline }, { issuer: 'a', inline }, { issuer: 'a', jwks }],
      {},
      [
        'issuers[0].issuer: is missing: with several issuers the claim iss tells whose keys count',
        'issuers[2].issuer: is that of issuers[1] too: put keys of one issuer into one set',
      ],
    ],
    [
      'a blank issuer',
      { issuer: ' ', inline },
      {},
      ['issuers[0].issuer: is blank: give what the claim iss holds'],
    ],
    [
      'a URL that is none',
      { jwks: { url: 'http://[::1/jwks' } },
      {},
      ['issuers[0].jwks.url: "http://[::1/jwks" is not a URL'],
    ],
    [
      'times that make no sense',
      { jwks: { ...jwks, refresh: '1s', timeout: '2m' } },
      { clockSkew: '24h' },
      [
        'issuers[0].jwks.refresh: is less than 10s: an unknown kid brings new keys sooner',
        'issuers[0].jwks.timeout: is more than 60s: requests wait for it',
        'clockSkew: is more than 10m: tokens would count long after exp, or before nbf',
      ],
    ],
  ])('with %s has mistakes', (_, issuers, more, expected) => {
    const { mistakes } = check(
      { issuers: Array.isArray(issuers) ? issuers : [issuers], ...more },
      { secrets: { ...secrets, short: { secret: 's'.repeat(31) } } },
    );
    expect(mistakes).toEqual(expected.map((mistake) => `${path}.${mistake}`));
    expect(mistakes.join()).not.toContain('ssss');
  });

  it.each([
    [{ name: 'lost' }, 'name'],
    [{ name: 'users', key: 'lost' }, 'key'],
  ])('whose secret is not there (%j) has a reference that leads nowhere', (ref, field) => {
    const { mistakes, broken } = check({ issuers: [{ secretRef: ref }] }, { secrets });
    expect([mistakes, broken]).toEqual([[], [`${path}.issuers[0].secretRef.${field}`]]);
  });
});
