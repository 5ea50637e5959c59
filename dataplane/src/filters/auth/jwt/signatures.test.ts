import { generateKeyPairSync, sign } from 'node:crypto';
import type { JwtAlgorithm } from '@gatehouse/crds';
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  base64url,
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

const signed = (alg: JwtAlgorithm, pair: keyof typeof pairs, header: object = {}) =>
  tokenOf({ alg, kid: pair, ...header }, goodClaims(), signerOf(alg, pairs[pair].privateKey));
const good = () => rsaToken();
const parts = (token: string) => token.split('.') as [string, string, string];
const withSignature = (token: string, change: (signature: Buffer) => Buffer) => {
  const [header, payload, signature] = parts(token);
  return `${header}.${payload}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`;
};

describe('a forged signature', () => {
  const ec = () => signed('ES256', 'ec');
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const number = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
  const ed = () => signed('EdDSA', 'ed');
  const edOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

  it.each<[string, () => string]>([
    ['ECDSA with r = s = 0 (CVE-2022-21449)', () => withSignature(ec(), () => Buffer.alloc(64))],
    [
      'ECDSA with r = 0',
      () => withSignature(ec(), (s) => Buffer.concat([Buffer.alloc(32), s.subarray(32)])),
    ],
    [
      'ECDSA with s = 0',
      () => withSignature(ec(), (s) => Buffer.concat([s.subarray(0, 32), Buffer.alloc(32)])),
    ],
    [
      'ECDSA with r = s = the order',
      () => withSignature(ec(), () => Buffer.concat([number(order), number(order)])),
    ],
    ['ECDSA with r = s = 2^256 - 1', () => withSignature(ec(), () => Buffer.alloc(64, 0xff))],
    [
      'ECDSA in DER',
      () =>
        tokenOf({ alg: 'ES256', kid: 'ec' }, goodClaims(), (input) =>
          sign('sha256', input, pairs.ec.privateKey),
        ),
    ],
    ['ECDSA one byte short', () => withSignature(ec(), (s) => s.subarray(0, 63))],
    [
      'ECDSA with a byte behind',
      () => withSignature(ec(), (s) => Buffer.concat([s, Buffer.alloc(1)])),
    ],
    [
      'ECDSA with zeros before each half',
      () =>
        withSignature(ec(), (s) =>
          Buffer.concat([Buffer.alloc(1), s.subarray(0, 32), Buffer.alloc(1), s.subarray(32)]),
        ),
    ],
    ['EdDSA of zeros', () => withSignature(ed(), () => Buffer.alloc(64))],
    [
      'EdDSA with S beyond the order (RFC 8032 section 5.1.7)',
      () =>
        withSignature(ed(), (s) => {
          const big =
            BigInt(`0x${Buffer.from(s.subarray(32)).reverse().toString('hex')}`) + edOrder;
          return Buffer.concat([s.subarray(0, 32), number(big).reverse()]);
        }),
    ],
    ['RSA one byte short', () => withSignature(good(), (s) => s.subarray(0, 255))],
    [
      'RSA with a byte behind',
      () => withSignature(good(), (s) => Buffer.concat([s, Buffer.alloc(1)])),
    ],
    [
      'RSA with a zero before',
      () => withSignature(good(), (s) => Buffer.concat([Buffer.alloc(1), s])),
    ],
    ['RSA of zeros', () => withSignature(good(), () => Buffer.alloc(256))],
    [
      'RSA of ones',
      () => withSignature(good(), () => Buffer.concat([Buffer.alloc(255), Buffer.from([1])])),
    ],
    [
      'RSA that is the modulus',
      () =>
        withSignature(good(), () => Buffer.from(String(jwkOf(pairs.rsa.publicKey).n), 'base64url')),
    ],
  ])('%s', (_, token) => jwt.refuses(token(), /^the signature is wrong$/));

  it('cannot be moved to other claims', () => {
    const [header, , signature] = parts(good());
    return jwt.refuses(
      `${header}.${base64url(goodClaims({ sub: 'root' }))}.${signature}`,
      /signature is wrong/,
    );
  });

  it('cannot be moved to another header', () => {
    const [, payload, signature] = parts(good());
    const header = base64url({ alg: 'RS256', kid: 'rsa', typ: 'JWT' });
    return jwt.refuses(`${header}.${payload}.${signature}`, /signature is wrong/);
  });

  it('by the key of somebody else', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return jwt.refuses(
      tokenOf({ alg: 'RS256', kid: 'rsa' }, goodClaims(), signerOf('RS256', privateKey)),
      /signature is wrong/,
    );
  });

  it('is not what the other half of an ECDSA signature is: both are valid (RFC 7518 has no low-S rule)', () =>
    jwt.lets(
      withSignature(ec(), (s) => {
        const other = order - BigInt(`0x${s.subarray(32).toString('hex')}`);
        return Buffer.concat([s.subarray(0, 32), number(other)]);
      }),
    ));
});
