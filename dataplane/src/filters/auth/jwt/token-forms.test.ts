import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../../../testing/message.ts';
import {
  base64url,
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

const rsa = signerOf('RS256', pairs.rsa.privateKey);
const header = { alg: 'RS256', kid: 'rsa' };
const parts = () => rsaToken().split('.') as [string, string, string];
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

describe('a token of another form', () => {
  it.each<[string, () => string, RegExp]>([
    ['one part', () => 'abc', /has 1 parts and not 3/],
    ['two parts', () => parts().slice(0, 2).join('.'), /has 2 parts and not 3/],
    ['four parts', () => `${rsaToken()}.AAAA`, /has 4 parts and not 3/],
    ['a dot behind', () => `${rsaToken()}.`, /has 4 parts and not 3/],
    ['a dot before', () => `.${rsaToken()}`, /has 4 parts and not 3/],
    [
      'five parts (JWE)',
      () => `${base64url({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`,
      /encrypted \(JWE\)/,
    ],
    ['only dots', () => '..', /header is not a JSON object/],
    ['an empty header', () => `.${parts()[1]}.${parts()[2]}`, /header is not a JSON object/],
    ['an empty payload', () => `${parts()[0]}..${parts()[2]}`, /signature is wrong/],
    ['a space inside', () => rsaToken().replace('.', '. '), /strict base64url/],
    ['a tab inside', () => rsaToken().replace('.', '\t.'), /strict base64url/],
    [
      'a space in the signature',
      () => `${rsaToken().slice(0, -9)} ${rsaToken().slice(-9)}`,
      /strict/,
    ],
    ['padding', () => `${rsaToken()}==`, /strict base64url/],
    ['padding in the middle', () => rsaToken().replace('.', '=.'), /strict base64url/],
    [
      'the alphabet of standard base64',
      () => `${parts()[0]}.${parts()[1]}.+/${parts()[2].slice(2)}`,
      /strict/,
    ],
    [
      'a letter beyond ASCII',
      () => latin1(`${parts()[0]}é.${parts()[1]}.${parts()[2]}`),
      /strict base64url/,
    ],
    ['a full-width dot', () => latin1(rsaToken().replace('.', '．')), /has 2 parts/],
    ['percent encoding', () => rsaToken().replace('.', '%2E'), /has 2 parts/],
    ['quotes', () => `"${rsaToken()}"`, /strict base64url/],
    ['a second spelling of its last byte', () => secondSpelling(rsaToken()), /strict base64url/],
    ['a letter too many', () => `${rsaToken()}AAA`, /signature is wrong|strict base64url/],
    ['the JSON serialization', () => JSON.stringify({ payload: parts()[1] }), /has 1 parts/],
    ['two tokens', () => `${rsaToken()},${rsaToken()}`, /has 5 parts|JWE/],
    ['two credentials', () => `${rsaToken()}, Bearer ${rsaToken()}`, /JWE|parts/],
  ])('with %s', (_, token, reason) => jwt.refuses(token(), reason));

  /** RSA signatures of 256 bytes end in a letter with two bits to spare. */
  function secondSpelling(token: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(token.slice(-1));
    return `${token.slice(0, -1)}${alphabet[last + 1]}`;
  }
});

describe('a header', () => {
  it.each<[string, string, RegExp]>([
    ['that is no JSON', '{alg:RS256}', /not a JSON object/],
    ['that is a list', '["RS256"]', /not a JSON object/],
    ['that is a text', '"RS256"', /not a JSON object/],
    ['that is null', 'null', /not a JSON object/],
    ['with something behind it', '{"alg":"RS256"} {}', /not a JSON object/],
    ['with alg twice', '{"alg":"RS256","kid":"rsa","alg":"RS256"}', /header names a member twice/],
    [
      'with alg twice, once escaped',
      '{"alg":"none","kid":"rsa","\\u0061lg":"RS256"}',
      /member twice/,
    ],
    [
      'that is deep',
      `{"alg":"RS256","kid":"rsa","x":${'['.repeat(40)}${']'.repeat(40)}}`,
      /nested more than/,
    ],
    ['with crit', '{"alg":"RS256","kid":"rsa","crit":["exp"]}', /critical extensions/],
    ['with an empty crit', '{"alg":"RS256","kid":"rsa","crit":[]}', /critical extensions/],
    ['with crit null', '{"alg":"RS256","kid":"rsa","crit":null}', /critical extensions/],
    ['with b64 false', '{"alg":"RS256","kid":"rsa","b64":false}', /\(b64\)/],
    [
      'with b64 false and critical',
      '{"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]}',
      /critical/,
    ],
    [
      'of a logout token',
      '{"alg":"RS256","kid":"rsa","typ":"logout+jwt"}',
      /"logout\+jwt" is not for access/,
    ],
    [
      'of a proof of possession',
      '{"alg":"RS256","kid":"rsa","typ":"application/DPoP+JWT"}',
      /"dpop\+jwt"/,
    ],
  ])('%s', (_, text, reason) => jwt.refuses(tokenOf(text, goodClaims(), rsa), reason));

  it.each<[string, object]>([
    ['typ JWT', { typ: 'JWT' }],
    ['typ at+jwt (RFC 9068)', { typ: 'application/at+jwt' }],
    ['members that nobody knows', { foo: { bar: 1 }, __proto__: null, constructor: 1 }],
  ])('with %s is fine', (_, more) => jwt.lets(rsaToken(goodClaims(), more)));

  it('is no way to change prototypes', async () => {
    const text = '{"alg":"RS256","kid":"rsa","__proto__":{"polluted":true,"alg":"none"}}';
    await jwt.lets(tokenOf(text, goodClaims(), rsa));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a giant token', () => {
  it('by its header', () =>
    jwt.refuses(
      tokenOf({ ...header, x5c: ['A'.repeat(15_000)] }, goodClaims(), rsa),
      /longer than 16384/,
    ));
  it('by its claims', () =>
    jwt.refuses(rsaToken(goodClaims({ groups: 'g'.repeat(13_000) })), /longer than 16384/));
  it('by letters', () => jwt.refuses('A'.repeat(20_000), /longer than 16384/));
  it('by dots', () => jwt.refuses('.'.repeat(16_000), /has 16001 parts/));
  it('that does not fit into a head', async () => {
    const answer = await jwt.ask(`Authorization: Bearer ${'A'.repeat(40_000)}\r\n`);
    expect(statusOf(answer)).toBe(431);
  });
  it('but a large one gets through', () =>
    jwt.lets(rsaToken(goodClaims({ groups: 'g'.repeat(10_000) }))));
});

describe('a nested token', () => {
  it('is not unpacked', () =>
    jwt.refuses(
      tokenOf({ ...header, cty: 'JWT' }, rsaToken(), rsa),
      /must be a top-level JSON object/,
    ));
  it('as a claim is just a text', () => jwt.lets(rsaToken(goodClaims({ inner: rsaToken() }))));
});

describe('any other text', () => {
  it('is refused, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc
            .string({ unit: 'binary-ascii', minLength: 1 })
            .map((text) => text.replaceAll(/[^!-~]/g, '')),
          fc.base64String(),
          fc
            .array(fc.json().map(base64url), { minLength: 2, maxLength: 4 })
            .map((all) => all.join('.')),
        ),
        async (text) => {
          if (text !== '') await jwt.refuses(text, /./);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('that differs from a good token in one letter is refused', async () => {
    const token = rsaToken();
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: token.length - 1 }),
        fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
        async (at, letter) => {
          if (token[at] === letter) return;
          await jwt.refuses(`${token.slice(0, at)}${letter}${token.slice(at + 1)}`, /./);
        },
      ),
      { numRuns: 150 },
    );
  });
});
