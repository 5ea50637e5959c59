import { describe, expect, it } from 'vitest';
import { compileExpression, ExpressionError } from './expression.ts';
import type { ExpressionSource, ExpressionType } from './source.ts';
import { sourceOf } from './testing.ts';

function resultOf(text: string, type: ExpressionType, source: ExpressionSource = sourceOf()) {
  return compileExpression(text, type, 'identity').evaluate(source);
}

function reasonOf(text: string, type: ExpressionType, source?: ExpressionSource): string {
  try {
    return `no failure: ${resultOf(text, type, source)}`;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    expect(error.message).toMatch(/^Cannot evaluate the expression: line \d+, column \d+: /);
    return `${error.line}:${error.column} ${error.message.split(': ').slice(2).join(': ')}`;
  }
}

const hold: Readonly<Record<string, readonly string[]>> = {
  variables: [
    'request.method == "GET" && request.path == "/api/v2/users" && request.host == "shop.example.com"',
    'request.scheme == "https" && request.id == "r-1" && request.size == 1234',
    'request.route == "default/shop" && request.rule == "users" && client.address == "10.1.2.3"',
    'identity.id == "u-1" && identity.method == "users" && identity.consumer == "mobile"',
    '"admin" in identity.roles && !("root" in identity.roles) && "read" in identity.scopes',
    'identity.plan == "gold" && identity.claims.tenant == claims.tenant && claims == identity.claims',
    'request["method"] == "GET"',
  ],
  lookups: [
    'request.headers["x-tenant"] == claims.tenant',
    '"x-tenant" in request.headers && !("x-other" in request.headers)',
    '!has(request.headers.accept)',
    'request.query["page"] == "2" && request.query.q == "a b" && request.query["a"] == "1"',
    '"flag" in request.query && request.query["flag"] == "" && !("nothing" in request.query)',
    'request.headers["x-" + "tenant"] == "acme" && has(request.query.page)',
  ],
  claims: [
    'has(claims.tenant) && !has(claims.tenants) && !has(claims.org.name) && has(claims.org.id)',
    'claims["a.b"] == "dotted" && claims.org["x-name"] == "Acme"',
    'claims.nothing == null && has(claims.nothing) && "nothing" in claims',
    'claims.age == 30 && claims.age == 30.0 && claims.age == 30u && claims.age >= 18 && claims.age < 30.5',
    'claims.age + 1.0 == 31 && claims.org.level * 2.0 == 6',
    'claims.groups[1] == "b" && claims.groups[1.0] == "b" && claims.groups[1u] == "b"',
    'claims.mixed == [1, "a", true, null, [2], {"x": 1}]',
    'claims.org == {"id": "o-1", "x-name": "Acme", "level": 3} && claims.org != {"id": "o-1"}',
    '1 in claims.mixed && [2.0] in claims.mixed && {"x": 1} in claims.mixed && !(3 in claims.mixed)',
    'int(claims.age) + 1 == 31 && string(claims.age) == "30"',
    'claims.verified && !(claims.verified && false)',
    'claims.exists(k, k == "org") && claims.org.all(k, k != "z") && size(claims.org) == 3',
  ],
  logic: [
    'true || claims.missing',
    'claims.missing || true',
    '!(claims.missing && false)',
    '!(false && claims.missing)',
    'claims.missing == 1 || claims.tenant == "acme" || claims.other == 2',
    'claims.tenant || true',
    'claims.verified ? true : claims.missing',
  ],
  macros: [
    '["x", "admin"].exists(r, r in identity.roles)',
    'identity.roles.all(r, r.size() > 3) && [].all(x, false) && ![].exists(x, true)',
    'claims.mixed.exists(m, m == "a") && claims.mixed.exists(m, m > 0)',
    '!claims.mixed.all(m, m == 1)',
    'identity.roles.exists_one(r, r == "admin") && !identity.roles.exists_one(r, true)',
    'identity.roles.map(r, r + "!") == ["editor!", "admin!"]',
    'identity.roles.map(r, r != "admin", r + "!") == ["editor!"]',
    'identity.roles.filter(r, r.startsWith("a")) == ["admin"]',
    'identity.roles.exists(r, identity.scopes.exists(s, r == "admin" && s == "write"))',
    'identity.roles.map(a, identity.scopes.map(b, a + b))[1][0] == "adminread"',
    '{"a": 1, "b": 2}.exists(k, k == "b") && {1: 2}.map(k, k + 1) == [2]',
    '["a"].exists(claims, claims == "a") && claims.tenant == "acme"',
  ],
  texts: [
    '"żółw".size() == 4 && size("😀a") == 2 && "é" < "😀" && "\uffff" < "😀"',
    '"😀abc".substring(1) == "abc" && "a😀b".charAt(1) == "😀" && "a😀b".charAt(3) == ""',
    '"a😀b".indexOf("b") == 2 && "b😀b".lastIndexOf("b") == 2 && "abab".indexOf("ab", 1) == 2',
    '"A-Ż".lowerAscii() == "a-Ż" && "a-ż".upperAscii() == "A-ż" && " \\u00a0a ".trim() == "a"',
    '"a,b,c".split(",") == ["a", "b", "c"] && "a,b,c".split(",", 2) == ["a", "b,c"]',
    '"😀b".split("") == ["😀", "b"] && "a,b".split(",", 0) == [] && "a".split(",") == ["a"]',
    '"a.b.c".replace(".", "-") == "a-b-c" && "a.b.c".replace(".", "", 1) == "ab.c"',
    '["a", "b"].join("-") == "a-b" && [].join() == "" && identity.scopes.join(" ") == "read write"',
    'request.path.matches("^/api/v[0-9]+/") && "xay".matches("a") && !"b".matches("^a$")',
    'request.path.startsWith("/api/") && request.path.endsWith("users") && "abc".contains("b")',
  ],
  addresses: [
    'cidr("10.0.0.0/8").containsIP(client.address) && !cidr("10.2.0.0/16").containsIP(client.address)',
    '["192.168.0.0/16", "10.1.0.0/16"].exists(r, cidr(r).containsIP(client.address))',
    'isIP(client.address) && isIP("::1") && !isIP("10.0.0.0/8") && !isIP("x")',
    'cidr("10.0.0.0/8").containsIP("::ffff:10.1.2.3") && !cidr("::/0").containsIP("::ffff:10.1.2.3")',
    'cidr("2001:db8::/32").containsIP("2001:db8::1") && !cidr("0.0.0.0/0").containsIP("::1")',
  ],
  numbers: [
    '9223372036854775807 > 9223372036854775806 && 7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1',
    '1 == 1.0 && 1u == 1 && 1 < 1.5 && 2u > 1.5 && 18446744073709551615u > -1',
    '0.1 + 0.2 != 0.3 && 1.0 / 0.0 > 1 && !(0.0 / 0.0 == 0.0 / 0.0)',
    'int("-12") == -12 && uint("12") == 12u && double("1.5e1") == 15.0 && int(3.9) == 3',
    'bool("true") && string(1.5) == "1.5" && string(true) == "true" && dyn(1) == 1',
    'bytes("é") == b"\\xc3\\xa9" && string(b"ab") + "c" == "abc" && size(b"abc") == 3 && b"a" < b"b"',
  ],
};

describe.each(Object.entries(hold))('%s hold', (_, texts) => {
  it.each(texts)('%s', (text) => {
    expect(resultOf(text, 'bool')).toBe(true);
  });
});

describe('results', () => {
  it.each<readonly [ExpressionType, string, unknown]>([
    ['string', 'identity.id + ":" + request.route', 'u-1:default/shop'],
    ['string', 'claims.tenant', 'acme'],
    ['number', '1 + 2', 3],
    ['number', 'claims.age', 30],
    ['number', '7u', 7],
    ['number', 'request.size', 1234],
    ['header', 'identity.roles', ['editor', 'admin']],
    ['header', 'claims.groups', ['a', 'b', 'é', '😀']],
    ['header', 'claims.tenant', 'acme'],
    ['header', 'claims.ratio', 0.5],
    ['header', '9007199254740993', '9007199254740993'],
    ['header', '18446744073709551615u', '18446744073709551615'],
    ['header', '42', 42],
    ['bool', 'claims.verified', true],
  ])('%s %s', (type, text, result) => {
    expect(resultOf(text, type)).toEqual(result);
  });

  it('gives lists of its own', () => {
    const roles = ['a'];
    const source = sourceOf({ identity: { ...identityOf(sourceOf()), roles } });
    expect(resultOf('identity.roles', 'header', source)).not.toBe(roles);
  });
});

function identityOf({ identity }: ExpressionSource) {
  if (identity === undefined) throw new Error('no identity');
  return identity;
}

describe('without an identity', () => {
  const anonymous = sourceOf({ identity: undefined });

  it.each([
    'identity.id == "" && identity.method == "" && identity.consumer == "" && identity.plan == ""',
    'identity.roles == [] && identity.scopes.size() == 0 && claims == {} && !has(claims.tenant)',
  ])('%s', (text) => {
    expect(resultOf(text, 'bool', anonymous)).toBe(true);
  });
});

describe('failures', () => {
  it.each<readonly [ExpressionType, string, string]>([
    ['bool', 'claims.missing == "x"', '1:8 no "missing" in it'],
    ['bool', 'true &&\n claims.org.missing', '2:13 no "missing" in it'],
    ['bool', 'claims.tenant.x == 1', '1:15 no "x" in it'],
    ['bool', 'claims.groups[7] == ""', '1:14 no such key in it'],
    ['bool', 'claims[claims.tenant] == ""', '1:7 no such key in it'],
    ['bool', 'request.headers["x-other"] == ""', '1:16 request.headers has no "x-other"'],
    ['bool', 'request.query[claims.tenant] == ""', '1:14 request.query has no such key'],
    ['bool', 'has(claims.tenant.x)', '1:19 has(.x): not a map'],
    ['bool', 'claims.tenant && true', '1:8 a value that should be a bool is not'],
    ['bool', '!claims.tenant', '1:9 a value that should be a bool is not'],
    ['bool', 'claims.age < claims.tenant', '1:12 "<" cannot compare the two values'],
    ['bool', 'claims.age.startsWith("3")', '1:12 a value is not of the type that is needed here'],
    ['bool', 'claims.org in claims', '1:12 "in" cannot look for such a value'],
    ['bool', 'claims.tenant ? true : false', '1:8 a value that should be a bool is not'],
    ['bool', '"a" in claims.tenant', '1:5 "in" cannot look for such a value'],
    ['bool', 'claims.tenant.exists(x, true)', '1:15 a value to iterate over is no list or map'],
    ['bool', 'claims.mixed.exists(m, m > 1)', '1:26 ">" cannot compare the two values'],
    ['bool', 'claims.groups.all(m, m)', '1:15 all: a value that should be a bool is not'],
    ['bool', '9223372036854775807 + 1 > 0', '1:21 the result is too large for 64 bits'],
    ['bool', '1u - 2u == 0u', '1:4 the result is too large for 64 bits'],
    ['bool', '1 / (1 - 1) == 1', '1:3 division by zero'],
    ['bool', 'int("1.5") == 1', '1:1 the text is no number of that type'],
    ['bool', 'int(claims.tenant) == 1', '1:1 the text is no number of that type'],
    ['bool', 'bool("yes")', '1:1 the text is neither "true" nor "false"'],
    ['bool', 'cidr("10.0.0.0/8").containsIP(claims.tenant)', '1:20 not an address'],
    ['bool', 'cidr(claims.tenant).containsIP("::1")', '1:1 not a range of addresses such as'],
    ['bool', '"abc".substring(2, 1) == ""', '1:7 the end lies before the start'],
    ['bool', '"abc".charAt(4) == ""', '1:7 a position outside of the text'],
    ['bool', '{"a": 1, claims.tenant.replace("cme", ""): 2}.size() == 2', '1:1 a key occurs twice'],
    ['bool', 'claims.tenant', '1:8 the result is not a bool'],
    ['string', 'claims.age', '1:8 the result is not a string'],
    ['number', 'claims.tenant', '1:8 the result is not a number'],
    ['number', '1.0 / 0.0', '1:5 the result is not a number'],
    ['header', 'claims.verified', '1:8 the result is not a string, a number or a list of strings'],
    ['header', 'claims.mixed', '1:8 the result is not a string, a number or a list of strings'],
    ['header', '0.0 / 0.0', '1:5 the result is not a string, a number or a list of strings'],
    ['header', 'claims.nothing', '1:8 the result is not a string, a number or a list of strings'],
  ])('%s %s', (type, text, reason) => {
    expect(reasonOf(text, type)).toContain(reason);
  });

  it('never repeat what a request holds', () => {
    const secret = 'hunter2';
    const source = sourceOf({}, { authorization: secret });
    const texts = [
      `claims[request.headers.authorization] == ""`,
      'request.query[request.headers.authorization] == ""',
      'int(request.headers.authorization) == 1',
      'cidr(request.headers.authorization).containsIP("::1")',
    ];
    for (const text of texts) expect(reasonOf(text, 'bool', source)).not.toMatch(secret);
  });
});

describe('hostile claims', () => {
  const claims = JSON.parse(
    '{"__proto__": {"admin": true}, "constructor": "x", "toString": 1, "hasOwnProperty": {}}',
  );
  const source = sourceOf({ identity: { ...identityOf(sourceOf()), claims } });

  it.each([
    '!has(claims.admin) && !("admin" in claims) && claims["__proto__"].admin',
    'claims.constructor == "x" && claims.toString == 1 && !has(claims.valueOf)',
    'claims.hasOwnProperty == {} && size(claims) == 4 && !has(claims.hasOwnProperty.constructor)',
  ])('%s', (text) => {
    expect(resultOf(text, 'bool', source)).toBe(true);
  });
});
