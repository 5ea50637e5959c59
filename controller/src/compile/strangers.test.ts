import { fromBinary } from '@bufbuild/protobuf';
import { defaults, type RouteObject, type RouteSpec, validateObject } from '@gatehouse/crds';
import { Kind, keyOf, RouteSchema } from '@gatehouse/snapshot';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from './index.ts';

function routeWith(rule: Omit<RouteSpec['rules'][number], 'name'>): RouteObject {
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Route',
    metadata: { name: 'web', namespace: defaults.namespace },
    spec: { rules: [{ name: 'strange', ...rule }] },
  };
}

function compileRoute(route: RouteObject) {
  const { config, statuses } = compile({
    routes: [route],
    upstreams: [],
    gateways: [],
    services: [],
    endpointSlices: [],
    secrets: [],
    namespaces: [],
    referenceGrants: [],
    policies: [],
    consumers: [],
    discoveries: [],
  });
  const resource = config.get(keyOf(Kind.ROUTE, 'default/web'));
  return {
    message: resource && fromBinary(RouteSchema, resource.body),
    condition: statuses[0]?.conditions[0],
  };
}

const respond = { status: 200 };
/** Text made of what means something in paths, templates and expressions, and of anything else. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(fc.constantFrom(...'/{}()[]%*+?.;|^$\\aZ09é\u0000'.split(''), '/..', '%2F', '{id}'), {
      maxLength: 16,
    })
    .map((parts) => parts.join('')),
);

describe('what the schema lets through', () => {
  it.each(['Exact', 'Prefix', 'Template', 'Regex'] as const)(
    'as a path of type %s is compiled or refused with its place',
    (type) => {
      fc.assert(
        fc.property(text, (rest) => {
          const value = type === 'Regex' ? rest : `/${rest}`;
          const route = routeWith({ matches: [{ path: { type, value } }], respond });
          if ('problems' in validateObject(route)) return;
          const { message, condition } = compileRoute(route);
          if (condition?.status === 'False') {
            expect(condition.message).toContain('spec.rules[0].matches[0].path.value: ');
            expect(message).toBeUndefined();
          } else {
            const path = message?.rules[0]?.matches[0]?.path?.value ?? '';
            if (type !== 'Regex') expect(path).toMatch(/^\/[!-~]*$/);
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it('as a normal path stays what it is when compiled again', () => {
    fc.assert(
      fc.property(text, (rest) => {
        const value = `/${rest}`;
        const once = compileRoute(
          routeWith({ matches: [{ path: { type: 'Exact', value } }], respond }),
        ).message?.rules[0]?.matches[0]?.path?.value;
        if (once === undefined) return;
        const twice = compileRoute(
          routeWith({ matches: [{ path: { type: 'Exact', value: once } }], respond }),
        ).message?.rules[0]?.matches[0]?.path?.value;
        expect(twice).toBe(once);
      }),
      { numRuns: 300 },
    );
  });

  it('as a rewrite is compiled or refused with its place', () => {
    fc.assert(
      fc.property(text, (rest) => {
        const matches = [{ path: { type: 'Template' as const, value: '/users/{id}' } }];
        const route = routeWith({ matches, rewrite: { path: `/${rest}` }, respond });
        if ('problems' in validateObject(route)) return;
        const { message, condition } = compileRoute(route);
        if (condition?.status === 'False') {
          expect(condition.message).toContain('spec.rules[0].rewrite.path: ');
        } else {
          expect(message?.rules[0]?.rewrite?.path.value).toMatch(/^\/[!-~]*$/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('defaults', () => {
  it('mean the same filled in by the API server as left out', () => {
    const backends = [{ name: 'users' }];
    const rules = [
      { name: 'forward', backends, mirrors: [{ name: 'users' }], timeouts: { request: '10s' } },
      { name: 'redirect', redirect: { scheme: 'https' as const } },
      { name: 'respond', respond: { status: 200 } },
      {
        name: 'typed',
        respond: { status: 200, headers: [{ name: 'content-type', value: 'a/b' }] },
      },
    ];
    const full = { kind: defaults.backendKind, name: 'users' };
    const filled = [
      {
        name: 'forward',
        backends: [{ ...full, weight: defaults.backendWeight }],
        mirrors: [{ ...full, percent: defaults.mirrorPercent }],
        timeouts: {
          request: '10s',
          backendRequest: defaults.backendRequestTimeout,
          idle: defaults.idleTimeout,
        },
      },
      { name: 'redirect', redirect: { scheme: 'https', status: defaults.redirectStatus } },
      { name: 'respond', respond: { status: 200, contentType: defaults.respondContentType } },
      {
        name: 'typed',
        respond: {
          status: 200,
          contentType: defaults.respondContentType,
          headers: [{ name: 'content-type', value: 'a/b' }],
        },
      },
    ] as RouteSpec['rules'];
    const [left, right] = [rules, filled].map((list) =>
      compileRoute({ ...routeWith({}), spec: { rules: list } }),
    );
    expect(left?.message?.rules).toHaveLength(4);
    expect(right).toEqual(left);
  });
});
