import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRouter, type Router } from './index.ts';
import { headOf, routeOf } from './router-case.ts';

const hosts = [[], ['a.x'], ['*.x', 'a.x'], ['b.x']];
const paths = ['prefix /', 'prefix /a', 'exact /a', 'template /{v}', 'regex /a.*', 'prefix /a/b'];
/** Two of each kind, so that age and names decide too. */
const pool = hosts.flatMap((names, h) =>
  paths.flatMap((path, p) =>
    [0, 5].map((created) => routeOf(`r-${h}-${p}-${created}`, { path, hosts: names, created })),
  ),
);
const heads = ['a.x', 'b.x', 'c.x', 'y'].flatMap((host) =>
  ['/', '/a', '/a/b', '/a/b/c', '/b'].map((path) => headOf(`GET ${host}${path}`)),
);

test('a router that follows from another finds what one of its own would', () => {
  fc.assert(
    fc.property(fc.array(fc.subarray(pool), { minLength: 2, maxLength: 6 }), (all) => {
      let previous: Router<string> | undefined;
      for (const routes of all) {
        const { router } = createRouter(routes, previous);
        const fresh = createRouter(routes).router;
        for (const head of heads) {
          expect(router.match(head)?.target).toBe(fresh.match(head)?.target);
        }
        previous = router;
      }
    }),
    { numRuns: 200 },
  );
});

test('what is made of a hostname is used again as long as its routes are the same', () => {
  const routes = [
    routeOf('a', { path: 'prefix /', hosts: ['a.x'] }),
    routeOf('b', { path: 'prefix /', hosts: ['b.x'] }),
  ];
  const { router } = createRouter(routes);
  const other = routeOf('b', { path: 'prefix /b', hosts: ['b.x'] });
  const next = createRouter(routes.with(1, other), router).router;
  const tableOf = ({ made }: Router<string>, host: string) => made.hosts.get(host)?.table;
  expect(tableOf(next, 'a.x')).toBe(tableOf(router, 'a.x'));
  expect(tableOf(next, 'b.x')).not.toBe(tableOf(router, 'b.x'));
});
