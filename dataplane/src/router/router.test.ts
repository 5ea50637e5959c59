import { describe, expect, it } from 'vitest';
import { createRouter, type RouteInput, variablesOf } from './index.ts';
import { headOf, type MatchCase, matchOf, routeOf } from './router-case.ts';

function rulesOf(rules: Record<string, MatchCase[]>): RouteInput<string> {
  const entries = Object.entries(rules);
  return {
    name: 'ns/route',
    created: 1,
    hostnames: [],
    rules: entries.map(([name, matches]) => ({
      name,
      target: name,
      matches: matches.map(matchOf),
    })),
  };
}

describe('rules', () => {
  it('fit any of their matches, and every request without one', () => {
    const { router } = createRouter([
      rulesOf({ all: [], two: [{ path: 'exact /a' }, { path: 'prefix /b', methods: ['PUT'] }] }),
    ]);
    expect(router.match(headOf('GET /a'))?.target).toBe('two');
    expect(router.match(headOf('PUT /b/c'))?.target).toBe('two');
    expect(router.match(headOf('GET /b/c'))?.target).toBe('all');
  });

  it('have no order: the name breaks a tie', () => {
    for (const names of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const rules = Object.fromEntries(names.map((name) => [name, [{ path: 'prefix /x' }]]));
      expect(createRouter([rulesOf(rules)]).router.match(headOf('GET /x'))?.rule).toBe('a');
    }
  });

  it('tell where they come from', () => {
    const { router } = createRouter([routeOf('one', { rule: 'main' })]);
    expect(router.match(headOf('GET /'))).toMatchObject({ route: 'ns/one', rule: 'main' });
  });

  it('are found nowhere in an empty router', () => {
    expect(createRouter([]).router.match(headOf('GET a/b'))).toBeUndefined();
  });
});

describe('variablesOf', () => {
  it.each([
    ['template /users/{id}', '/users/7', { id: '7' }],
    ['template /{a}/x/{b-2}/', '/1/x/a%2Fb/', { a: '1', 'b-2': 'a%2Fb' }],
    ['template /{__proto__}', '/x', { ['__proto__']: 'x' }],
    ['template /users', '/users', {}],
    ['prefix /users', '/users/7', undefined],
    ['exact /users', '/users', undefined],
    ['regex /.*', '/users', undefined],
  ])('%s for %s', (path, request, expected) => {
    const { router } = createRouter([routeOf('a', { path })]);
    const found = router.match(headOf(`GET ${request}`));
    const variables = variablesOf(found!, request);
    expect(variables && [...variables]).toEqual(expected && Object.entries(expected));
  });
});

describe('problems', () => {
  it.each([
    [{ path: 'exact a' }, 'path', /must begin with "\/"/],
    [{ path: 'prefix ' }, 'path', /must begin with "\/"/],
    [{ path: 'exact /a?b' }, 'path', /hold no query/],
    [{ path: 'prefix /../a' }, 'path', /above the root/],
    [{ path: 'prefix /%zz' }, 'path', /broken escape/],
    [{ path: 'template users' }, 'path', /must begin with "\/"/],
    [{ path: 'template /a/{id}x' }, 'path', /a variable is a whole segment/],
    [{ path: 'template /{}' }, 'path', /a variable is a whole segment/],
    [{ path: 'template /{a}/{a}' }, 'path', /"a" occurs twice/],
    [{ path: 'template /a//{b}' }, 'path', /empty segment/],
    [{ path: 'template /a/../{b}' }, 'path', /above the root/],
    [{ path: 'regex /(' }, 'path', /missing closing \).*only RE2/],
    [{ path: 'regex (?=x)' }, 'path', /only RE2/],
    [{ path: 'regex (a{1000}){1000}' }, 'path', /only RE2/],
    [{ path: 'other /' }, 'path', /unknown type 0/],
    [{ headers: { a: '=1', h: '~[' } }, 'headers[1].value', /only RE2/],
    [{ headers: { h: 'x' } }, 'headers[0].type', /unknown type 0/],
    [{ query: { '': '' } }, 'query[0].name', /must not be empty/],
    [{ query: { q: '~(' } }, 'query[0].value', /only RE2/],
  ])('of a match %j', (match, field, reason) => {
    const sound = { path: 'exact /sound' };
    const input = rulesOf({ first: [sound], second: [sound, match] });
    const { router, problems } = createRouter([input]);
    expect(problems).toEqual([
      {
        route: 'ns/route',
        path: `rules[1].matches[1].${field}`,
        reason: expect.stringMatching(reason),
      },
    ]);
    expect(router.match(headOf('GET /sound'))?.target).toBe('first');
    expect(router.match(headOf('GET /unknown'))).toBeUndefined();
  });

  it.each(['', '*', '*.', 'a.*.com', 'a b', '**.com', 'http://a', '.com', '*..com'])(
    'of the hostname %j',
    (hostname) => {
      const { router, problems } = createRouter([routeOf('a', { hosts: ['ok.com', hostname] })]);
      expect(problems).toMatchObject([{ route: 'ns/a', path: 'hostnames[1]' }]);
      expect(router.match(headOf('GET ok.com/'))?.target).toBe('a');
      expect(router.match(headOf('GET other.com/'))).toBeUndefined();
    },
  );

  it('are told all at once, and again by the next router', () => {
    const inputs = [
      routeOf('a', { path: 'regex (', headers: { h: '~(' } }),
      routeOf('b', { path: 'exact b' }),
    ];
    const first = createRouter(inputs);
    const paths = first.problems.map(({ route, path }) => `${route} ${path}`);
    expect(paths).toEqual([
      'ns/a rules[0].matches[0].path',
      'ns/a rules[0].matches[0].headers[0].value',
      'ns/b rules[0].matches[0].path',
    ]);
    expect(createRouter(inputs, first.router).problems).toEqual(first.problems);
  });
});

describe('a router made from the previous one', () => {
  const kept = routeOf('kept', { path: 'regex /kept/[0-9]+' });
  const changed = { ...routeOf('x', { path: 'prefix /x' }), rules: [] };

  it('knows the new routes and forgets the old, which stay with the previous one', () => {
    const first = createRouter([kept, routeOf('x', { path: 'prefix /x' })]).router;
    const second = createRouter([kept, changed, routeOf('new', { path: 'exact /new' })], first);
    expect(second.router.match(headOf('GET /x'))).toBeUndefined();
    expect(second.router.match(headOf('GET /new'))?.target).toBe('new');
    expect(first.match(headOf('GET /x'))?.target).toBe('x');
    expect(first.match(headOf('GET /new'))).toBeUndefined();
  });

  it('compiles nothing twice for the same input', () => {
    const first = createRouter([kept]).router;
    const second = createRouter([kept], first).router;
    const request = headOf('GET /kept/1');
    expect(second.match(request)).toBe(first.match(request));
  });
});

describe('hostile requests', () => {
  it('of many segments, labels or parameters take little time', () => {
    const routes = Array.from({ length: 200 }, (_, index) => [
      routeOf(`p${index}`, { path: `prefix ${'/a'.repeat(index + 1)}`, methods: ['PUT'] }),
      routeOf(`t${index}`, { path: `template /{x}${'/a'.repeat(index)}`, methods: ['PUT'] }),
      routeOf(`h${index}`, { hosts: [`*${'.a'.repeat(index + 1)}`], methods: ['PUT'] }),
      routeOf(`q${index}`, { query: { [`q${index}`]: '=1' } }),
    ]).flat();
    const { router } = createRouter(routes);
    const head = headOf(`GET ${'a.'.repeat(4000)}a${'/a'.repeat(4000)}?${'b&'.repeat(4000)}`);
    const start = performance.now();
    for (let count = 0; count < 10; count++) expect(router.match(head)).toBeUndefined();
    expect((performance.now() - start) / 10).toBeLessThan(50);
  });
});
