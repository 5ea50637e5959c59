import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusOf, valuesOf } from '../../../testing/message.ts';
import { goodClaims, type JwtGateway, nowInSeconds, rsaToken, startJwtGateway } from './testing.ts';

let jwt: JwtGateway;

beforeAll(async () => {
  jwt = await startJwtGateway();
});
afterAll(() => jwt.close());

const token = rsaToken();
const bad = rsaToken(goodClaims({ exp: 1 }));
const twice = /^the token was sent more than once$/;
const authorization = (value: string) => `Authorization: ${value}\r\n`;

describe('a token in Authorization', () => {
  beforeEach(() => jwt.use());

  it.each<[string, string]>([
    ['no field', ''],
    ['an empty field', authorization('')],
    ['Basic', authorization(`Basic ${Buffer.from('alice:secret').toString('base64')}`)],
    ['the token without scheme', authorization(token)],
    ['the scheme without token', authorization('Bearer')],
    ['the scheme and spaces', authorization('Bearer   ')],
    ['no space between', authorization(`Bearer${token}`)],
    ['a colon between', authorization(`Bearer: ${token}`)],
    ['a tab between', authorization(`Bearer\t${token}`)],
    ['another scheme', authorization(`Token ${token}`)],
    ['another scheme before', authorization(`Basic Bearer ${token}`)],
    ['another field', `Proxy-Authorization: Bearer ${token}\r\n`],
    ['another spelling of the name', `Authorization_: Bearer ${token}\r\n`],
    ['a cookie', `Cookie: token=${token}; Authorization=Bearer ${token}\r\n`],
  ])('is missing with %s', (_, lines) => jwt.refusesLines(lines, 'missing'));

  it('is missing when it is in the query', () =>
    jwt.refusesLines('', 'missing', `/?access_token=${token}&token=${token}`));

  it.each<[string, string]>([
    ['in lower case', authorization(`bearer ${token}`)],
    ['in upper case', `AUTHORIZATION: BEARER ${token}\r\n`],
    ['with more spaces', authorization(`Bearer    ${token}`)],
    ['with blanks around', `Authorization: \t Bearer ${token} \t \r\n`],
  ])('is read %s', async (_, lines) => {
    expect(statusOf(await jwt.ask(lines))).toBe(200);
  });

  it.each<[string, string]>([
    ['the same', authorization(`Bearer ${token}`).repeat(2)],
    ['a bad one first', authorization(`Bearer ${bad}`) + authorization(`Bearer ${token}`)],
    ['a good one first', authorization(`Bearer ${token}`) + authorization(`Bearer ${bad}`)],
    ['another scheme first', authorization('Basic YTpi') + authorization(`Bearer ${token}`)],
    ['an empty one first', authorization('') + authorization(`Bearer ${token}`)],
    ['another case', `authorization: Bearer ${token}\r\nAUTHORIZATION: Bearer ${bad}\r\n`],
  ])('is refused when it comes twice: %s', (_, lines) => jwt.refusesLines(lines, twice));
});

describe('a token in other places', () => {
  const cookie = [{ cookie: 'token' }];
  const query = [{ query: 'access_token' }];

  it.each<[string, object[], string, string]>([
    ['a header', [{ header: 'X-Token' }], `x-token: ${token}\r\n`, '/'],
    ['a cookie', cookie, `Cookie: a=b; token=${token}\r\n`, '/'],
    ['a cookie with quotes', cookie, `Cookie: token="${token}"\r\n`, '/'],
    ['the query', query, '', `/?a=b&access_token=${token}`],
    ['the second place', [...cookie, ...query], '', `/?access_token=${token}`],
  ])('is read from %s', async (_, from, lines, target) => {
    await jwt.use({ from: from as never });
    expect(statusOf(await jwt.ask(lines, target))).toBe(200);
    await jwt.refusesLines(authorization(`Bearer ${token}`), 'missing');
  });

  it.each<[string, object[], string, string, RegExp]>([
    ['cookie twice', cookie, `Cookie: token=${token}; token=${token}\r\n`, '/', twice],
    ['two Cookie fields', cookie, `Cookie: token=${bad}\r\nCookie: token=${token}\r\n`, '/', twice],
    ['query twice', query, '', `/?access_token=${token}&access_token=${token}`, twice],
    [
      'query twice, once escaped',
      query,
      '',
      `/?access_token=${token}&access%5Ftoken=${bad}`,
      twice,
    ],
    ['a header twice', [{ header: 'x-token' }], `X-Token: ${token}\r\n`.repeat(2), '/', twice],
    // The first place that holds one counts, good or bad.
    [
      'a bad one first',
      [...cookie, ...query],
      `Cookie: token=${bad}\r\n`,
      `/?access_token=${token}`,
      /"exp"/,
    ],
  ])('is refused: %s', async (_, from, lines, target, reason) => {
    await jwt.use({ from: from as never });
    await jwt.refusesLines(lines, reason, target);
  });
});

describe('beside other methods', () => {
  const anonymous = { name: 'everybody', anonymous: {} };

  it('a bad token makes nobody anonymous', async () => {
    await jwt.use({}, { authentication: [anonymous] });
    await jwt.refuses(bad, /"exp"/);
    await jwt.refuses('x', /has 1 parts/);
    await jwt.refusesLines(authorization(`Bearer ${token}`).repeat(2), twice);
    expect(statusOf(await jwt.ask(''))).toBe(200);
  });

  it('a token that another method accepts gets through', async () => {
    const second = { name: 'old', jwt: { issuers: [{ inline: otherKeys }] } };
    await jwt.use({}, { authentication: [second] });
    await jwt.lets(rsaToken());
    await jwt.refuses(rsaToken(goodClaims({ exp: 1 })), /"exp"/);
  });

  const otherKeys = JSON.stringify({
    keys: [
      {
        kty: 'OKP',
        crv: 'Ed25519',
        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      },
    ],
  });
});

describe('the upstream', () => {
  const seen = async (claims: object, lines = '') => {
    jwt.backend.reset();
    const answer = await jwt.ask(
      `${authorization(`Bearer ${rsaToken(goodClaims(claims))}`)}${lines}`,
    );
    const fields = jwt.backend.requests.at(-1)?.fields ?? [];
    return {
      status: statusOf(answer),
      id: valuesOf(fields, 'x-user-id').join('|'),
      role: valuesOf(fields, 'x-user-role').join('|'),
    };
  };
  const utf8 = (text: string) => Buffer.from(text).toString('latin1');

  beforeEach(() => jwt.use());

  it.each<[string, object, string, string]>([
    ['sub', {}, 'alice', ''],
    ['user_id before sub', { user_id: 'u1', role: 'admin' }, 'u1', 'admin'],
    ['a number', { user_id: 42, roles: [1, 'b'] }, '42', '1,b'],
    ['a large number', { user_id: 123456789012345 }, '123456789012345', ''],
    ['an object, which is nobody', { user_id: { id: 'root' } }, 'alice', ''],
    ['a nested role, which is none', { role: { name: 'admin' } }, 'alice', ''],
    ['a role inside a list', { roles: [['admin'], 'user'] }, 'alice', 'user'],
    ['UTF-8', { sub: 'Zoë 李', role: 'ä' }, utf8('Zoë 李'), utf8('ä')],
    ['blanks around', { sub: '  alice ' }, 'alice', ''],
    ['nothing', { sub: '', role: '' }, '', ''],
    ['prototypes', { __proto__: { role: 'admin' }, constructor: { name: 'x' } }, 'alice', ''],
  ])('is told %s', async (_, claims, id, role) => {
    expect(await seen(claims)).toEqual({ status: 200, id, role });
  });

  it('is told nothing that a claim named __proto__ says', async () => {
    const text = JSON.stringify(goodClaims()).replace(
      '{',
      '{"__proto__":{"role":"admin","user_id":"root"},',
    );
    jwt.backend.reset();
    const answer = await jwt.ask(authorization(`Bearer ${rsaToken(text)}`));
    expect(statusOf(answer)).toBe(200);
    const { fields } = jwt.backend.requests[0]!;
    expect([valuesOf(fields, 'x-user-id'), valuesOf(fields, 'x-user-role')]).toEqual([
      ['alice'],
      [],
    ]);
  });

  it.each<[string, object]>([
    ['CRLF', { sub: 'alice\r\nX-User-Role: admin' }],
    ['LF', { sub: 'a\nb' }],
    ['CR', { sub: 'a\rb' }],
    ['NUL', { sub: 'a\u0000b' }],
    ['DEL', { sub: 'a\u007fb' }],
    ['a tab', { sub: 'a\tb' }],
    ['CRLF in a role', { roles: ['user', 'x\r\nX-User-ID: root'] }],
    ['a comma in a role', { roles: ['user,admin'] }],
    ['a comma in the only role', { role: 'user,admin' }],
  ])('is told no value with %s: 403', async (_, claims) => {
    expect(await seen(claims)).toEqual({ status: 403, id: '', role: '' });
    expect(jwt.gateway.denials.at(-1)?.reason).toMatch(/cannot be sent/);
    expect(jwt.backend.requests).toHaveLength(0);
  });

  it.each(['X-User-ID', 'x_user_id', 'X_USER-ID', 'X.User.Id', 'x-user_role', 'X-USER-ROLE'])(
    'is told nothing by %s of a client, with a good token',
    async (name) => {
      expect(await seen({}, `${name}: root\r\n`)).toEqual({ status: 200, id: 'alice', role: '' });
      const { raw } = jwt.backend.requests[0]!;
      expect(raw).not.toContain('root');
    },
  );

  it('sees the token unless it is stripped', async () => {
    const lines = authorization(`Bearer ${token}`);
    await jwt.ask(lines);
    expect(jwt.backend.requests.at(-1)!.raw).toContain(token);
    await jwt.use({}, { identity: { defaultHeaders: true, token: 'Strip' } });
    for (const _ of ['anew', 'from the cache']) {
      jwt.backend.reset();
      await jwt.ask(lines);
      expect(jwt.backend.requests[0]!.raw).not.toContain(token);
      expect(valuesOf(jwt.backend.requests[0]!.fields, 'x-user-id')).toEqual(['alice']);
    }
  });

  it('sees neither cookie nor parameter that is stripped', async () => {
    const identity = { defaultHeaders: true, token: 'Strip' as const };
    await jwt.use({ from: [{ cookie: 'token' }, { query: 'access_token' }] }, { identity });
    jwt.backend.reset();
    await jwt.ask(`Cookie: a=b; token=${token}; c=d\r\n`);
    await jwt.ask('', `/x?a=b&access_token=${token}&c=d`);
    const [first, second] = jwt.backend.requests;
    expect(valuesOf(first!.fields, 'cookie')).toEqual(['a=b; c=d']);
    expect(second!.startLine).toBe('GET /x?a=b&c=d HTTP/1.1');
  });

  it('gets claims by expressions, and never more than one line each', async () => {
    await jwt.use(
      {},
      { identity: { headers: [{ name: 'X-Tenant', expression: 'claims.tenant' }] } },
    );
    jwt.backend.reset();
    const ask = (tenant: unknown) =>
      jwt.ask(`X-Tenant: forged\r\n${authorization(`Bearer ${rsaToken(goodClaims({ tenant }))}`)}`);
    await ask('blue');
    expect(valuesOf(jwt.backend.requests[0]!.fields, 'x-tenant')).toEqual(['blue']);
    expect(statusOf(await ask('blue\r\nX-Admin: 1'))).toBe(403);
    expect(statusOf(await ask(undefined))).toBe(200);
    expect(valuesOf(jwt.backend.requests[1]!.fields, 'x-tenant')).toEqual([]);
  });
});

describe('the log', () => {
  it('never holds a token, whatever is wrong with it', async () => {
    await jwt.use();
    const tokens = [
      bad,
      `${token}.`,
      token.slice(0, -40),
      rsaToken(goodClaims({ aud: nowInSeconds() })),
    ];
    for (const each of tokens) await jwt.ask(authorization(`Bearer ${each}`));
    const log = JSON.stringify(jwt.gateway.denials);
    for (const each of tokens)
      for (const part of each.split('.')) if (part) expect(log).not.toContain(part);
  });
});
