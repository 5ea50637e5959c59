import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Candidate, createRouter, type RouteInput } from './index.ts';
import { matchNaively } from './naive-router.ts';
import { headOf, matchOf } from './router-case.ts';
import { type Fitting, hostnameFor, whyFirst } from './why-first.ts';

const literal = fc.constantFrom('a', 'b', 'ab');
const slash = fc.constantFrom('', '', '/');
const literals = (least: number) => fc.array(literal, { minLength: least, maxLength: 3 });

const literalPath = fc
  .tuple(literals(0), slash)
  .map(([segments, end]) => (segments.length === 0 ? '/' : `/${segments.join('/')}${end}`));

const template = fc
  .tuple(fc.array(fc.option(literal), { minLength: 1, maxLength: 4 }), slash)
  .map(([segments, end]) => {
    const parts = segments.map((segment, index) => segment ?? `{v${index}}`);
    return `template /${parts.join('/')}${end}`;
  });

const regex = fc
  .constantFrom(
    '/.*',
    '/a.*',
    '/ab?',
    '/a/[^/]+',
    '/(a|b)/.*',
    '/a|/b',
    '.*b',
    '/a/b{1,2}',
    '/ab*/a',
  )
  .map((source) => `regex ${source}`);

const path = fc.oneof(
  literalPath.map((value) => `exact ${value}`),
  literalPath.map((value) => `prefix ${value}`),
  template,
  regex,
);

const values = fc.dictionary(
  fc.constantFrom('x', 'y'),
  fc.constantFrom('', '=1', '=2', '~[12]', '~1|3'),
  { maxKeys: 2 },
);

const match = fc
  .record(
    {
      path,
      methods: fc.subarray(['GET', 'PUT'], { minLength: 1 }),
      headers: values,
      query: values,
    },
    { requiredKeys: [] },
  )
  .map(matchOf);

const rules = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('r1', 'r2', 'r3'),
    matches: fc.array(match, { minLength: 1, maxLength: 3 }),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
);

const hostnames = fc.subarray(['a.x', 'b.a.x', '*.x', '*.a.x', '*.b.a.x', 'x'], { maxLength: 2 });

const routes: fc.Arbitrary<RouteInput<string>[]> = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom('n/a', 'n/b', 'n/c', 'm/a', 'm/z', 'o/a', 'o/b', 'o/c'),
      created: fc.constantFrom(0, 1, 2),
      hostnames: fc.oneof(fc.constant([]), hostnames),
      rules,
    })
    .map((route) => ({
      ...route,
      rules: route.rules.map((rule) => ({ ...rule, target: `${route.name}/${rule.name}` })),
    })),
  { selector: ({ name }) => name, maxLength: 8 },
);

const given = fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2', '3'));

const request = fc
  .record({
    method: fc.constantFrom('GET', 'PUT', 'POST'),
    host: fc.constantFrom('', 'x', 'a.x', 'b.a.x', 'c.b.a.x', 'd.x', 'y'),
    path: literalPath,
    query: given,
    headers: given,
  })
  .map(({ method, host, path, query, headers }) =>
    headOf(`${method} ${host}${path}?${new URLSearchParams(query)}`, headers),
  );

const requests = fc.array(request, { minLength: 10, maxLength: 30 });

it('the winner is that of the rules of precedence, in whatever order the routes come', () => {
  let found = 0;
  fc.assert(
    fc.property(routes, requests, (inputs, heads) => {
      const { router, problems } = createRouter(inputs);
      const reversed = createRouter(inputs.toReversed(), router).router;
      expect(problems).toEqual([]);
      for (const head of heads) {
        const expected = matchNaively(inputs, head);
        if (expected !== undefined) found++;
        expect(router.match(head)?.target).toBe(expected);
        expect(reversed.match(head)?.target).toBe(expected);
      }
    }),
    { numRuns: 500 },
  );
  // Else the alphabet is too large for routes and requests to meet.
  expect(found).toBeGreaterThan(1000);
});

/** The routes with a match that nothing fits in the place of one, so that the next best wins. */
function without(inputs: readonly RouteInput<string>[], gone: Candidate<string>) {
  return inputs.map((route) => {
    if (route.name !== gone.route) return route;
    const rules = route.rules.map((rule) => {
      if (rule.name !== gone.rule) return rule;
      const matches = rule.matches.map((match, index) =>
        index === gone.position ? matchOf({ methods: ['NONE'] }) : match,
      );
      return { ...rule, matches };
    });
    return { ...route, rules };
  });
}

it('why the winner comes before the next best can always be told', () => {
  const told = new Set<string>();
  fc.assert(
    fc.property(routes, requests, (inputs, heads) => {
      const { router } = createRouter(inputs);
      for (const head of heads) {
        const winner = router.match(head);
        if (!winner) continue;
        const next = createRouter(without(inputs, winner)).router.match(head);
        if (!next) continue;
        const fitting = (candidate: Candidate<string>): Fitting => {
          const { hostnames = [] } = inputs.find(({ name }) => name === candidate.route) ?? {};
          return { candidate, hostname: hostnameFor(hostnames, head.host) ?? 'none' };
        };
        const why = whyFirst(fitting(winner), fitting(next));
        expect(why?.order).toBeLessThan(0);
        told.add(why?.by ?? '');
      }
    }),
    { numRuns: 300 },
  );
  // The rest decides so rarely that a run may be without it.
  const common = ['hostname', 'path', 'method', 'headers', 'query', 'route'];
  expect([...told]).toEqual(expect.arrayContaining(common));
});
