import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import type { JwtAlgorithm } from '@gatehouse/crds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  goodClaims,
  type JwtGateway,
  jwkOf,
  pairs,
  rsaToken,
  signerOf,
  startJwtGateway,
  tokenOf,
} from './testing.ts';

let jwt: JwtGateway;

beforeAll(async () => {
  jwt = await startJwtGateway();
  await jwt.use();
});
afterAll(() => jwt.close());

const parts = (token: string) => token.split('.') as [string, string, string];
const signed = (alg: JwtAlgorithm, pair: keyof typeof pairs, header: object = {}) =>
  tokenOf({ alg, kid: pair, ...header }, goodClaims(), signerOf(alg, pairs[pair].privateKey));
const withSignature = (token: string, change: (signature: Buffer) => Buffer) => {
  const [header, payload, signature] = parts(token);
  return `${header}.${payload}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`;
};

describe('keys that the token brings', () => {
  const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = jwkOf(attacker.publicKey, { kid: 'rsa' });
  const url = 'http://127.0.0.1:1/keys';
  it.each<[string, object]>([
    ['jwk', { jwk }],
    ['jku', { jku: url }],
    ['x5u', { x5u: url }],
    [
      'x5c',
      { x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
    ],
    ['x5t', { x5t: 'AA', 'x5t#S256': 'AA' }],
    ['all of them', { jwk, jku: url, x5u: url }],
  ])('in %s are not looked at', async (_, header) => {
    const signer = signerOf('RS256', attacker.privateKey);
    const forged = tokenOf({ alg: 'RS256', kid: 'rsa', ...header }, goodClaims(), signer);
    await jwt.refuses(forged, /^the signature is wrong$/);
    await jwt.lets(rsaToken(goodClaims(), header));
  });
});

describe('the kid', () => {
  it.each([
    '../../../../dev/null',
    '/proc/sys/kernel/randomize_va_space',
    "rsa' OR '1'='1",
    'rsa\u0000',
    ' rsa',
    'RSA',
    '__proto__',
    'constructor',
    '0',
    'x'.repeat(100),
  ])('%j leads to no key', (kid) => jwt.refuses(rsaToken(goodClaims(), { kid }), /^no key fits/));

  it.each<[string, unknown]>([
    ['a number', 0],
    ['null', null],
    ['a list', ['rsa']],
    ['an object', { toString: 'rsa' }],
    ['very long', 'x'.repeat(1025)],
  ])('that is %s is refused', (_, kid) =>
    jwt.refuses(rsaToken(goodClaims(), { kid }), /^the kid is not a short string$/),
  );

  it('may be missing: then the keys that fit are tried', async () => {
    const header = { kid: undefined };
    await jwt.lets(rsaToken(goodClaims(), header));
    await jwt.lets(signed('EdDSA', 'ed', header));
  });

  it('must be there when more than 8 keys fit', async () => {
    const { publicKey } = pairs.rsa;
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const keys = [...Array(8).fill(other), publicKey].map((key, i) => jwkOf(key, { kid: `k${i}` }));
    await jwt.use({ issuers: [{ inline: JSON.stringify({ keys }) }] });
    await jwt.refuses(rsaToken(goodClaims(), { kid: undefined }), /more than 8 keys fit/);
    await jwt.lets(rsaToken(goodClaims(), { kid: 'k8' }));
    await jwt.use();
  });

  it('does not matter where the keys have none', async () => {
    await jwt.use({
      issuers: [{ inline: JSON.stringify({ keys: [jwkOf(pairs.rsa.publicKey)] }) }],
    });
    await jwt.lets(rsaToken(goodClaims(), { kid: 'whatever' }));
    await jwt.use();
  });
});

describe('secrets', () => {
  const secret = 's'.repeat(48);
  const secretRef = { name: 'hmac' };
  const entries = { 'policy/default/hmac/secret': { secret } };
  const hmac = (alg: JwtAlgorithm, key: string, header: object = {}) =>
    tokenOf({ alg, ...header }, goodClaims(), signerOf(alg, createSecretKey(Buffer.from(key))));

  it('verify the algorithms that they are long enough for, whatever the kid', async () => {
    await jwt.use({ issuers: [{ secretRef }] }, { entries });
    await jwt.lets(hmac('HS256', secret));
    await jwt.lets(hmac('HS384', secret, { kid: 'any' }));
    await jwt.refuses(hmac('HS512', secret), /no key fits/);
    await jwt.refuses(hmac('HS256', 'x'.repeat(48)), /signature is wrong/);
    await jwt.refuses(
      withSignature(hmac('HS256', secret), (s) => s.subarray(0, 16)),
      /signature/,
    );
    await jwt.refuses(rsaToken(), /no key fits/);
  });

  it('verify only the algorithms that are named', async () => {
    await jwt.use({ issuers: [{ secretRef, algorithms: ['HS384'] }] }, { entries });
    await jwt.refuses(hmac('HS256', secret), /algorithm is not accepted/);
    await jwt.lets(hmac('HS384', secret));
  });

  it.each<[string, Record<string, string>, object, RegExp]>([
    ['are too short', { secret: 's'.repeat(31) }, {}, /31 bytes are too short for HS256/],
    [
      'are too short for one algorithm',
      { secret },
      { algorithms: ['HS512'] },
      /too short for HS512/,
    ],
    ['are not there', {}, {}, /"default\/hmac\\" has no \\"secret\\"/],
  ])('that %s are refused when linked', async (_, data, more, reason) => {
    const used = jwt.use(
      { issuers: [{ secretRef, ...more }] },
      { entries: { 'policy/default/hmac/secret': data } },
    );
    await expect(used).rejects.toThrow(reason);
    await expect(used).rejects.not.toThrow(/ssss/);
  });
});
