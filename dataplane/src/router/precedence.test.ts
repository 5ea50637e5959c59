import { describe, expect, it } from 'vitest';
import { createRouter } from './index.ts';
import { headOf, type RouteCase, routeOf } from './router-case.ts';

type Case = {
  routes: Record<string, RouteCase>;
  /** [request, winner] or [request, winner, headers]. */
  requests: [string, string | undefined, Record<string, string>?][];
};

const star = ['*.example.com'];

const cases: Record<string, Case> = {
  'hosts: exact, then the longest wildcard, then any': {
    routes: {
      any: {},
      wide: { hosts: ['*.com'] },
      near: { hosts: star },
      exact: { hosts: ['a.example.com'] },
    },
    requests: [
      ['GET a.example.com/', 'exact'],
      ['GET b.example.com/', 'near'],
      ['GET b.a.example.com/', 'near'],
      ['GET example.com/', 'wide'],
      ['GET com/', 'any'],
      ['GET .com/', 'any'],
      ['GET aexample.com/', 'wide'],
      ['GET a.example.org/', 'any'],
      ['GET /', 'any'],
    ],
  },
  'hosts: a less specific one is tried when no rule of the more specific one holds': {
    routes: {
      any: { path: 'exact /deep/path' },
      near: { path: 'prefix /deep', hosts: star },
      exact: { path: 'regex /x.*', hosts: ['a.example.com'], methods: ['GET'] },
    },
    requests: [
      ['GET a.example.com/xyz', 'exact'],
      ['POST a.example.com/xyz', undefined],
      ['GET a.example.com/deep/path', 'near'],
      ['GET a.example.org/deep/path', 'any'],
      ['GET a.example.com/other', undefined],
    ],
  },
  'hosts: decide before the path does': {
    routes: {
      any: { path: 'exact /a', headers: { h: '=1' } },
      near: { path: 'regex /a', hosts: star },
    },
    requests: [['GET a.example.com/a', 'near', { h: '1' }]],
  },
  'hosts: without routes for any host, strangers find nothing': {
    routes: { exact: { hosts: ['A.Example.com'] }, near: { hosts: ['*.b.org'] } },
    requests: [
      ['GET a.example.com/', 'exact'],
      ['GET other.com/', undefined],
      ['GET b.org/', undefined],
      ['GET x.y.b.org/', 'near'],
    ],
  },
  'paths: exact, then the number of segments, then regular expressions': {
    routes: {
      exact: { path: 'exact /a/b' },
      long: { path: 'prefix /a/b' },
      short: { path: 'prefix /a' },
      root: { path: 'prefix /', methods: ['GET'] },
      regex: { path: 'regex /.*' },
    },
    requests: [
      ['GET /a/b', 'exact'],
      ['GET /a/b/', 'long'],
      ['GET /a/b/c', 'long'],
      ['GET /a/bc', 'short'],
      ['GET /a', 'short'],
      ['GET /a/', 'short'],
      ['GET /ab', 'root'],
      ['GET /', 'root'],
      ['POST /ab', 'regex'],
      ['OPTIONS *', undefined],
    ],
  },
  'paths: a prefix is whole segments, and its trailing slash means nothing': {
    routes: { slash: { path: 'prefix /a/' }, plain: { path: 'prefix /b' } },
    requests: [
      ['GET /a', 'slash'],
      ['GET /a/', 'slash'],
      ['GET /a/x', 'slash'],
      ['GET /ax', undefined],
      ['GET /b', 'plain'],
      ['GET /b/', 'plain'],
      ['GET /bb', undefined],
      ['GET /', undefined],
      ['GET /x/a', undefined],
    ],
  },
  'paths: a trailing slash counts in exact and template': {
    routes: {
      exact: { path: 'exact /a' },
      exactSlash: { path: 'exact /a/' },
      template: { path: 'template /t/{x}' },
      templateSlash: { path: 'template /s/{x}/' },
    },
    requests: [
      ['GET /a', 'exact'],
      ['GET /a/', 'exactSlash'],
      ['GET /t/1', 'template'],
      ['GET /t/1/', undefined],
      ['GET /t/', undefined],
      ['GET /t', undefined],
      ['GET /s/1/', 'templateSlash'],
      ['GET /s/1', undefined],
      ['GET /s/1/2', undefined],
    ],
  },
  'templates: more segments first, the leftmost literal segment wins': {
    routes: {
      prefix1: { path: 'prefix /users' },
      prefix2: { path: 'prefix /users/me' },
      id: { path: 'template /users/{id}' },
      idOrders: { path: 'template /users/{id}/orders' },
      anyOrders: { path: 'template /{kind}/{id}/orders' },
      meAny: { path: 'template /users/me/{what}' },
      any3: { path: 'template /{a}/{b}/{c}' },
    },
    requests: [
      ['GET /users/me', 'prefix2'],
      ['GET /users/7', 'id'],
      ['GET /users/7/orders', 'idOrders'],
      ['GET /users/me/orders', 'meAny'],
      ['GET /users/7/x', 'any3'],
      ['GET /teams/7/orders', 'anyOrders'],
      ['GET /teams/7/x', 'any3'],
      ['GET /users/me/orders/1', 'prefix2'],
      ['GET /users/7/orders/1', 'prefix1'],
      ['GET /teams/7/orders/1', undefined],
    ],
  },
  'templates: a whole-path template beats the prefix of the same segments, exact beats both': {
    routes: {
      prefix: { path: 'prefix /a/b' },
      template: { path: 'template /a/b' },
      exact: { path: 'exact /a/b', methods: ['GET'] },
    },
    requests: [
      ['GET /a/b', 'exact'],
      ['POST /a/b', 'template'],
      ['POST /a/b/', 'prefix'],
    ],
  },
  'templates: walk back when the literal branch leads nowhere': {
    routes: {
      deep: { path: 'template /a/b/{x}/d' },
      wide: { path: 'template /{w}/b/c/{y}' },
      widest: { path: 'template /{w}/{x}/{y}/{z}' },
    },
    requests: [
      ['GET /a/b/c/d', 'deep'],
      ['GET /a/b/c/e', 'wide'],
      ['GET /a/b/e/e', 'widest'],
      ['GET /a/b/c/', undefined],
    ],
  },
  'regex: the whole path, the longest expression first': {
    routes: {
      short: { path: 'regex /v[0-9]+' },
      long: { path: 'regex /v[0-9]{1,3}' },
      alternatives: { path: 'regex /x|/y' },
      optional: { path: 'regex /zz?' },
      folded: { path: 'regex (?i)/fold' },
      anchored: { path: 'regex ^/anchored$' },
    },
    requests: [
      ['GET /v1', 'long'],
      ['GET /v1234', 'short'],
      ['GET /v1/', undefined],
      ['GET /av1', undefined],
      ['GET /y', 'alternatives'],
      ['GET /xy', undefined],
      ['GET /z', 'optional'],
      ['GET /FOLD', 'folded'],
      ['GET /anchored', 'anchored'],
    ],
  },
  'methods: given beats not given, and case counts': {
    routes: { all: {}, get: { methods: ['GET', 'HEAD'] } },
    requests: [
      ['GET /', 'get'],
      ['HEAD /', 'get'],
      ['POST /', 'all'],
      ['get /', 'all'],
    ],
  },
  'methods, headers and query never outweigh the path': {
    routes: {
      prefix: { path: 'prefix /a', methods: ['GET'], headers: { h: '' }, query: { q: '' } },
      exact: { path: 'exact /a' },
    },
    requests: [['GET /a?q', 'exact', { h: '1' }]],
  },
  'a method outweighs headers, and these the query': {
    routes: {
      query3: { query: { a: '', b: '', c: '' } },
      header1: { headers: { x: '' } },
      header2: { headers: { x: '', y: '' } },
      method: { methods: ['PUT'] },
      header1query1: { headers: { x: '' }, query: { a: '' } },
    },
    requests: [
      ['GET /?a&b&c', 'query3'],
      ['GET /?a&b&c', 'header1query1', { x: '1' }],
      ['GET /', 'header1', { x: '1' }],
      ['GET /?a&b&c', 'header2', { x: '1', y: '2' }],
      ['PUT /?a&b&c', 'method', { x: '1', y: '2' }],
      ['GET /', undefined],
    ],
  },
  'headers: exact, regex over the whole value, present': {
    routes: {
      exact: { headers: { 'X-Tier': '=gold' } },
      regex: { headers: { version: '~v[12]' } },
      present: { headers: { debug: '' } },
    },
    requests: [
      ['GET /', 'exact', { 'x-tier': 'gold' }],
      ['GET /', undefined, { 'x-tier': 'Gold' }],
      ['GET /', undefined, { 'x-tier': 'gold, gold' }],
      ['GET /', 'regex', { version: 'v2' }],
      ['GET /', undefined, { version: 'v23' }],
      ['GET /', 'present', { debug: '' }],
      ['GET /', undefined, {}],
    ],
  },
  'query: the first value of a parameter, decoded as a form is': {
    routes: {
      exact: { query: { 'a b': '=c d' } },
      plus: { query: { p: '=1+1' } },
      first: { query: { f: '=1' } },
      regex: { query: { r: '~[a-c]+' } },
      present: { query: { here: '' } },
      broken: { query: { bad: '=%zz' } },
      unicode: { query: { u: '=é' } },
    },
    requests: [
      ['GET /?a+b=c%20d', 'exact'],
      ['GET /?a%20b=c+d', 'exact'],
      ['GET /?A+b=c+d', undefined],
      ['GET /?p=1%2B1', 'plus'],
      ['GET /?p=1+1', undefined],
      ['GET /?f=1&f=2', 'first'],
      ['GET /?f=2&f=1', undefined],
      ['GET /?xf=1', undefined],
      ['GET /?r=abc', 'regex'],
      ['GET /?r=abcd', undefined],
      ['GET /?here', 'present'],
      ['GET /?&&here=&', 'present'],
      ['GET /?bad=%zz', 'broken'],
      ['GET /?u=%C3%A9', 'unicode'],
    ],
  },
  'ties: the oldest, unknown age last': {
    routes: {
      unknown: { created: 0 },
      young: { created: 200 },
      old: { created: 100 },
      header: { created: 300, headers: { h: '' } },
    },
    requests: [
      ['GET /', 'old'],
      ['GET /', 'header', { h: '1' }],
    ],
  },
  'ties: then the name of the route': {
    routes: { b: { created: 5 }, a: { created: 5 }, c: { created: 5 } },
    requests: [['GET /', 'a']],
  },
  'ties: templates that differ in the names of variables only': {
    routes: {
      b: { path: 'template /x/{one}', created: 2 },
      a: { path: 'template /x/{two}', created: 1 },
    },
    requests: [['GET /x/1', 'a']],
  },
  'a candidate that does not hold is passed over, across path types': {
    routes: {
      exact: { path: 'exact /a/b', headers: { e: '' } },
      template: { path: 'template /a/{x}', headers: { t: '' } },
      prefix2: { path: 'prefix /a/b', headers: { p: '' } },
      prefix1: { path: 'prefix /a', query: { q: '=1' } },
      regex: { path: 'regex /a/.', methods: ['GET'] },
    },
    requests: [
      ['GET /a/b?q=1', 'exact', { e: '', t: '', p: '' }],
      ['GET /a/b?q=1', 'prefix2', { t: '', p: '' }],
      ['GET /a/b?q=1', 'template', { t: '' }],
      ['GET /a/b?q=1', 'prefix1'],
      ['GET /a/b?q=2', 'regex'],
      ['PUT /a/b?q=2', undefined],
    ],
  },
  'values in routes are normalised as requests are': {
    routes: {
      tilde: { path: 'exact /%7euser' },
      accent: { path: 'prefix /café' },
      space: { path: 'exact /a b' },
      slash: { path: 'exact /x%2fy' },
      template: { path: 'template /é/{id}' },
    },
    requests: [
      ['GET /~user', 'tilde'],
      ['GET /caf%C3%A9/x', 'accent'],
      ['GET /a%20b', 'space'],
      ['GET /x%2Fy', 'slash'],
      ['GET /x/y', undefined],
      ['GET /%C3%A9/1', 'template'],
    ],
  },
};

describe.each(Object.entries(cases))('%s', (_, { routes, requests }) => {
  const inputs = Object.entries(routes).map(([name, options]) => routeOf(name, options));
  it.each(requests)('%s -> %s %j', (request, expected, headers = {}) => {
    for (const order of [inputs, inputs.toReversed()]) {
      const { router, problems } = createRouter(order);
      expect(problems).toEqual([]);
      expect(router.match(headOf(request, headers))?.target).toBe(expected);
    }
  });
});
