import { constants, sign } from 'node:crypto';
import type { JwtAlgorithm } from '@gatehouse/crds';
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  goodClaims,
  type JwtGateway,
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
const nothing = () => Buffer.alloc(0);
const withSignature = (token: string, change: (signature: Buffer) => Buffer) => {
  const [header, payload, signature] = parts(token);
  return `${header}.${payload}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`;
};

describe('every algorithm', () => {
  it.each<[JwtAlgorithm, keyof typeof pairs]>([
    ['RS256', 'rsa'],
    ['RS384', 'rsa'],
    ['RS512', 'rsa'],
    ['PS256', 'rsa'],
    ['PS384', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'ec'],
    ['ES384', 'ec384'],
    ['ES512', 'ec521'],
    ['EdDSA', 'ed'],
  ])('%s lets its tokens through, and none with a changed bit', async (alg, pair) => {
    const token = signed(alg, pair);
    await jwt.lets(token);
    const changed = withSignature(signed(alg, pair, { typ: 'JWT' }), (signature) => {
      signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1);
      return signature;
    });
    await jwt.refuses(changed, /^the signature is wrong$/);
  });
});

describe('no signature', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', 'none ', '', 'null'])('by alg "%s"', (alg) =>
    jwt.refuses(tokenOf({ alg, kid: 'rsa' }, goodClaims(), nothing), /algorithm is not accepted/),
  );

  it.each(['none', 'HS0'])('by alg "%s" with a signature', (alg) =>
    jwt.refuses(
      tokenOf({ alg }, goodClaims(), signerOf('RS256', pairs.rsa.privateKey)),
      /algorithm is not accepted/,
    ),
  );

  it.each<[string, unknown, RegExp]>([
    ['no alg', { kid: 'rsa' }, /names no algorithm/],
    ['alg null', { alg: null }, /names no algorithm/],
    ['alg as a list', { alg: ['RS256'] }, /names no algorithm/],
    ['alg as a number', { alg: 256 }, /names no algorithm/],
    ['alg of prototypes', { alg: 'constructor' }, /not accepted/],
    ['alg in lower case', { alg: 'rs256' }, /not accepted/],
  ])('by %s', (_, header, reason) =>
    jwt.refuses(tokenOf(header, goodClaims(), signerOf('RS256', pairs.rsa.privateKey)), reason),
  );

  it('by an empty signature', () =>
    jwt.refuses(
      tokenOf({ alg: 'RS256', kid: 'rsa' }, goodClaims(), nothing),
      /signature is wrong/,
    ));
});

describe('the public key as a secret', () => {
  const { publicKey } = pairs.rsa;
  const jwk = publicKey.export({ format: 'jwk' });
  it.each<[string, string | Buffer]>([
    ['PEM', publicKey.export({ type: 'spki', format: 'pem' })],
    [
      'PEM without its last line end',
      String(publicKey.export({ type: 'spki', format: 'pem' })).trim(),
    ],
    ['PKCS#1 PEM', publicKey.export({ type: 'pkcs1', format: 'pem' })],
    ['DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['PKCS#1 DER', publicKey.export({ type: 'pkcs1', format: 'der' })],
    ['JWK', JSON.stringify(jwk)],
    ['the modulus', Buffer.from(String(jwk.n), 'base64url')],
    ['nothing', ''],
  ])('as %s opens nothing', async (_, secret) => {
    for (const alg of ['HS256', 'HS512'] as const) {
      const token = tokenOf({ alg, kid: 'rsa' }, goodClaims(), signerOf(alg, secret));
      await jwt.refuses(token, /no key fits its kid and algorithm|signature is wrong/);
    }
  });
});

describe('an algorithm of another key', () => {
  it.each<[string, () => string, RegExp]>([
    ['RS256 for an EC key', () => rsaToken(goodClaims(), { kid: 'ec' }), /no key fits/],
    [
      'ES256 for an RSA key',
      () =>
        tokenOf({ alg: 'ES256', kid: 'rsa' }, goodClaims(), signerOf('ES256', pairs.ec.privateKey)),
      /no key fits/,
    ],
    [
      'ES256 by a key of P-384',
      () =>
        tokenOf({ alg: 'ES256', kid: 'ec384' }, goodClaims(), (input) =>
          sign('sha256', input, { key: pairs.ec384.privateKey, dsaEncoding: 'ieee-p1363' }),
        ),
      /no key fits/,
    ],
    [
      'PS256 with the padding of RS256',
      () =>
        tokenOf(
          { alg: 'PS256', kid: 'rsa' },
          goodClaims(),
          signerOf('RS256', pairs.rsa.privateKey),
        ),
      /signature is wrong/,
    ],
    [
      'RS256 with the padding of PS256',
      () =>
        tokenOf(
          { alg: 'RS256', kid: 'rsa' },
          goodClaims(),
          signerOf('PS256', pairs.rsa.privateKey),
        ),
      /signature is wrong/,
    ],
    [
      'RS256 with the hash of RS512',
      () =>
        tokenOf(
          { alg: 'RS256', kid: 'rsa' },
          goodClaims(),
          signerOf('RS512', pairs.rsa.privateKey),
        ),
      /signature is wrong/,
    ],
    [
      'PS256 with a salt of another length',
      () =>
        tokenOf({ alg: 'PS256', kid: 'rsa' }, goodClaims(), (input) =>
          sign('sha256', input, {
            key: pairs.rsa.privateKey,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: 20,
          }),
        ),
      /signature is wrong/,
    ],
  ])('%s', (_, token, reason) => jwt.refuses(token(), reason));
});
