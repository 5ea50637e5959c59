import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  goodClaims,
  inline,
  issuer,
  type JwtGateway,
  nowInSeconds,
  rsaToken,
  startJwtGateway,
} from './testing.ts';

let jwt: JwtGateway;

beforeAll(async () => {
  jwt = await startJwtGateway();
});
beforeEach(() => jwt.use());
afterEach(() => vi.useRealTimers());
afterAll(() => jwt.close());

const year = 31_556_952;
/** A token whose payload is this text with the other claims before it. */
const withText = (text: string) =>
  rsaToken(`${JSON.stringify(goodClaims()).slice(0, -1)},${text}}`);

describe('times', () => {
  it.each<[string, () => object, RegExp]>([
    ['expired', () => ({ exp: nowInSeconds() - 31 }), /"exp" claim timestamp check failed/],
    ['expired long ago', () => ({ exp: 1 }), /"exp" claim timestamp/],
    ['exp 0', () => ({ exp: 0 }), /"exp" claim timestamp/],
    ['exp negative', () => ({ exp: -1 }), /"exp" claim timestamp/],
    [
      'exp as a text',
      () => ({ exp: String(nowInSeconds() + 600) }),
      /"exp" claim must be a number/,
    ],
    ['exp as a date', () => ({ exp: '2099-01-01T00:00:00Z' }), /"exp" claim must be a number/],
    ['exp null', () => ({ exp: null }), /"exp" claim must be a number/],
    ['exp true', () => ({ exp: true }), /"exp" claim must be a number/],
    ['exp as a list', () => ({ exp: [nowInSeconds() + 600] }), /"exp" claim must be a number/],
    ['exp in milliseconds', () => ({ exp: Date.now() + 600_000 }), /"exp" is no date/],
    ['exp huge', () => ({ exp: 1e300 }), /"exp" is no date/],
    ['not yet valid', () => ({ nbf: nowInSeconds() + 60 }), /"nbf" claim timestamp check failed/],
    ['nbf as a text', () => ({ nbf: '0' }), /"nbf" claim must be a number/],
    ['nbf huge', () => ({ nbf: 1e300 }), /"nbf" claim timestamp check failed/],
    ['nbf huge and negative', () => ({ nbf: -1e300 }), /"nbf" is no date/],
    ['issued in the future', () => ({ iat: nowInSeconds() + 60 }), /"iat" is in the future/],
    ['iat as a text', () => ({ iat: 'now' }), /"iat" claim must be a number/],
    ['iat huge', () => ({ iat: 1e300 }), /"iat" is no date/],
  ])('%s', (_, more, reason) => jwt.refuses(rsaToken(goodClaims(more())), reason));

  it.each([
    ['"exp":1e999', /member twice|no date/],
    ['"nbf":-1e999', /no date/],
    ['"iat":NaN', /JSON object/],
    ['"nbf":0x10', /JSON object/],
  ])('%s', (text, reason) => jwt.refuses(withText(text), reason));

  it.each<[string, () => object]>([
    ['expired within the skew', () => ({ exp: nowInSeconds() - 20 })],
    ['not yet valid within the skew', () => ({ nbf: nowInSeconds() + 20 })],
    ['issued in the future within the skew', () => ({ iat: nowInSeconds() + 20 })],
    ['with fractions', () => ({ exp: nowInSeconds() + 0.5, nbf: 1.5, iat: 1e-3 })],
    ['in a hundred years', () => ({ exp: nowInSeconds() + 100 * year })],
    ['nbf negative', () => ({ nbf: -1 })],
    ['without exp', () => ({ exp: undefined })],
  ])('%s: fine', (_, more) => jwt.lets(rsaToken(goodClaims(more()))));

  it('allow no skew when there is none', async () => {
    await jwt.use({ clockSkew: '0s' });
    await jwt.refuses(rsaToken(goodClaims({ exp: nowInSeconds() - 1 })), /"exp"/);
    await jwt.refuses(rsaToken(goodClaims({ nbf: nowInSeconds() + 60 })), /"nbf"/);
  });

  it('end a token that was good before, to the second', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_900_000_000_000 });
    const token = rsaToken(goodClaims({ exp: 1_900_000_600 }));
    await jwt.lets(token);
    vi.setSystemTime(1_900_000_629_999);
    await jwt.lets(token);
    vi.setSystemTime(1_900_000_630_000);
    await jwt.refuses(token, /"exp" claim timestamp/);
  });

  it('keep a token out until it is valid', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_900_000_000_000 });
    const token = rsaToken(goodClaims({ nbf: 1_900_000_100, exp: 1_900_000_200 }));
    await jwt.refuses(token, /"nbf"/);
    vi.setSystemTime(1_900_000_069_999);
    await jwt.refuses(token, /"nbf"/);
    vi.setSystemTime(1_900_000_070_000);
    await jwt.lets(token);
  });
});

describe('the audience', () => {
  it.each<[string, unknown, RegExp]>([
    ['another', 'other', /unexpected "aud" claim value/],
    ['missing', undefined, /missing required "aud" claim/],
    ['null', null, /unexpected "aud"/],
    ['a list of others', ['other', 'apis', 'AP', ''], /unexpected "aud"/],
    ['an empty list', [], /unexpected "aud"/],
    ['a list in a list', [['api']], /unexpected "aud"/],
    ['in another case', 'API', /unexpected "aud"/],
    ['with a space', 'api ', /unexpected "aud"/],
    ['an object', { api: true }, /unexpected "aud"/],
    ['a longer text', 'api,other', /unexpected "aud"/],
  ])('that is %s', (_, aud, reason) => jwt.refuses(rsaToken(goodClaims({ aud })), reason));

  it('may be one of a list', () => jwt.lets(rsaToken(goodClaims({ aud: ['other', 'api'] }))));

  it('may be one of several that are accepted, or anything where none is named', async () => {
    await jwt.use({ issuers: [{ issuer, inline, audiences: ['web', 'api'] }] });
    await jwt.lets(rsaToken());
    await jwt.use({ issuers: [{ issuer, inline }] });
    await jwt.lets(rsaToken(goodClaims({ aud: 'other' })));
    await jwt.lets(rsaToken(goodClaims({ aud: undefined })));
  });
});

describe('the issuer', () => {
  it.each<[string, unknown, RegExp]>([
    ['another', 'https://other.test/', /unexpected "iss" claim value/],
    ['missing', undefined, /missing required "iss" claim/],
    ['null', null, /unexpected "iss"/],
    ['a list', [issuer], /unexpected "iss"/],
    ['without its slash', issuer.slice(0, -1), /unexpected "iss"/],
    ['in another case', issuer.toUpperCase(), /unexpected "iss"/],
    ['longer', `${issuer}admin`, /unexpected "iss"/],
  ])('that is %s', (_, iss, reason) => jwt.refuses(rsaToken(goodClaims({ iss })), reason));

  it('may be anything where none is named, but a text', async () => {
    await jwt.use({ issuers: [{ inline }] });
    await jwt.lets(rsaToken(goodClaims({ iss: 'x' })));
    await jwt.lets(rsaToken(goodClaims({ iss: undefined })));
    await jwt.refuses(rsaToken(goodClaims({ iss: { a: 1 } })), /"iss" is not a string/);
  });

  it('chooses the keys, and is trusted no further', async () => {
    const keys = (JSON.parse(inline) as { keys: { kid: string }[] }).keys;
    const only = (kid: string) => JSON.stringify({ keys: keys.filter((key) => key.kid === kid) });
    await jwt.use({
      issuers: [
        { issuer: 'rsa', inline: only('rsa') },
        { issuer: 'ec', inline: only('ec'), audiences: ['ec'] },
      ],
    });
    await jwt.lets(rsaToken(goodClaims({ iss: 'rsa' })));
    await jwt.refuses(rsaToken(goodClaims({ iss: 'ec' })), /no key fits/);
    await jwt.refuses(rsaToken(goodClaims({ iss: 'other' })), /iss names no issuer/);
    await jwt.refuses(rsaToken(goodClaims({ iss: undefined })), /iss names no issuer/);
    await jwt.refuses(rsaToken(goodClaims({ iss: ['rsa'] })), /iss names no issuer/);
    await jwt.refuses(rsaToken('"rsa"'), /iss names no issuer/);
    await jwt.refuses(rsaToken('{"iss":"rsa","iss":"ec"}'), /no key fits/);
    await jwt.refuses(rsaToken('{"iss":"ec","iss":"rsa"}'), /names a member twice/);
  });

  it.each([
    [[{ inline }, { issuer, inline }], 0],
    [
      [
        { issuer, inline },
        { issuer, inline },
      ],
      1,
    ],
  ])('of two must tell them apart', async (issuers, index) => {
    await expect(jwt.use({ issuers })).rejects.toThrow(`issuers[${index}].issuer`);
  });
});

describe('claims', () => {
  it.each([
    ['"sub":"root"', /claims set names a member twice/],
    ['"s\\u0075b":"root"', /claims set names a member twice/],
    ['"exp":9999999999', /claims set names a member twice/],
    ['"role":{"a":1,"a":2}', /claims set names a member twice/],
    ['"__proto__":1,"__proto__":2', /claims set names a member twice/],
    [`"deep":${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, /nested more than 32 levels/],
  ])('with %s', (text, reason) => jwt.refuses(withText(text), reason));

  it.each([
    ['a list', '[]'],
    ['a text', '"alice"'],
    ['null', 'null'],
    ['a number', '7'],
    ['nothing', ''],
    ['something behind it', `${JSON.stringify(goodClaims())}{}`],
    ['a comment', `/**/${JSON.stringify(goodClaims())}`],
  ])('that are %s', (_, text) => jwt.refuses(rsaToken(text), /must be a top-level JSON object/));

  it('that are not UTF-8', () => {
    const bytes = Buffer.from(JSON.stringify(goodClaims({ sub: 'b\u00e9b' })), 'latin1');
    return jwt.refuses(rsaToken(bytes), /must be a top-level JSON object/);
  });

  it.each<[unknown]>([[{ id: 'alice' }], [['alice']], [null], [true]])('with sub %j', (sub) =>
    jwt.refuses(rsaToken(goodClaims({ sub })), /"sub" is not a string/),
  );
});

describe('required claims', () => {
  const requiredClaims = [{ name: 'tenant.id', values: ['a', '7'] }, { name: 'email' }];
  it.each<[string, object, RegExp]>([
    ['missing', { tenant: { id: 'a' } }, /claim "email" is missing/],
    ['null', { tenant: { id: 'a' }, email: null }, /claim "email" is missing/],
    ['missing inside', { tenant: {}, email: 'e' }, /claim "tenant.id" is missing/],
    ['of another type', { tenant: 'a', email: 'e' }, /claim "tenant.id" is missing/],
    [
      'other values',
      { tenant: { id: 'b' }, email: 'e' },
      /claim "tenant.id" has none of the values/,
    ],
    ['an object', { tenant: { id: { a: 'a' } }, email: 'e' }, /has none of the values/],
    ['inherited', { __proto__: {}, email: 'e' }, /is missing/],
  ])('%s', async (_, more, reason) => {
    await jwt.use({ requiredClaims });
    await jwt.refuses(rsaToken(goodClaims(more)), reason);
  });

  it.each<[object]>([
    [{ tenant: { id: 'a' }, email: 'e' }],
    [{ tenant: { id: 7 }, email: '' }],
    [{ tenant: { id: ['b', 'a'] }, email: false }],
    [{ 'tenant.id': 'a', email: {} }],
  ])('%j: fine', async (more) => {
    await jwt.use({ requiredClaims });
    await jwt.lets(rsaToken(goodClaims(more)));
  });

  it('may not be found on a prototype', async () => {
    await jwt.use({ requiredClaims: [{ name: 'constructor' }] });
    await jwt.refuses(rsaToken(), /claim "constructor" is missing/);
    await jwt.use({ requiredClaims: [{ name: 'toString.name' }] });
    await jwt.refuses(rsaToken(), /claim "toString.name" is missing/);
  });
});
