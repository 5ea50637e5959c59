import { describe, expect, it } from 'vitest';
import { explained, gateway, route, rule } from './testing.ts';

const at = (path: string) => `http://localhost:8080${path}`;

describe('the rule that serves a request', () => {
  it.each<{ why: string; yaml: string; request: string; order: string[]; because: string }>([
    {
      why: 'hostname',
      yaml:
        route('any', rule('r', '')) +
        route('wild', rule('r', ''), 'hostnames: ["*.shop.test"]') +
        route('exact', rule('r', ''), 'hostnames: [a.shop.test]'),
      request: 'GET http://a.shop.test:8080/',
      order: ['default/exact', 'default/wild', 'default/any'],
      because: 'hostname a.shop.test is more specific than *.shop.test',
    },
    {
      why: 'path',
      yaml: route(
        'paths',
        [
          rule('exact', 'path: { type: Exact, value: /api/orders }'),
          rule('near', 'path: { type: Prefix, value: /api/orders }'),
          rule('far', 'path: { type: Prefix, value: /api }'),
          rule('regex', 'path: { type: Regex, value: "/api.*" }'),
        ].join(', '),
      ),
      request: `GET ${at('/api/orders')}`,
      order: ['exact', 'near', 'far', 'regex'],
      because: 'Exact /api/orders is more specific than Prefix /api/orders',
    },
    {
      why: 'regular expressions',
      yaml: route(
        'regexes',
        [
          rule('short', 'path: { type: Regex, value: "/.*" }'),
          rule('long', 'path: { type: Regex, value: "/a.*" }'),
        ].join(', '),
      ),
      request: `GET ${at('/ab')}`,
      order: ['long', 'short'],
      because: 'its regular expression is longer',
    },
    {
      why: 'method',
      yaml: route('methods', `${rule('any', '')}, ${rule('get', 'methods: [GET]')}`),
      request: `GET ${at('/')}`,
      order: ['get', 'any'],
      because: 'it names methods, the other takes any',
    },
    {
      why: 'query',
      yaml: route(
        'queries',
        `${rule('any', '')}, ${rule('one', 'query: [{ name: a, value: b }]')}`,
      ),
      request: `GET ${at('/?a=b')}`,
      order: ['one', 'any'],
      because: 'it asks for 1 query parameters, the other for 0',
    },
    {
      why: 'name',
      yaml: route('b', rule('r', '')) + route('a', rule('r', '')),
      request: `GET ${at('/')}`,
      order: ['default/a', 'default/b'],
      because: 'all else is equal: default/a sorts before default/b',
    },
  ])('comes first by its $why', async ({ yaml, request, order, because }) => {
    const { route: found } = await explained(request, yaml);
    const all = [found, ...(found?.before ?? [])].map((one) =>
      order[0]?.startsWith('default/') ? one?.route : one?.rule,
    );
    expect(all).toEqual(order);
    expect(found?.before[0]?.because).toBe(because);
  });

  it('asks for headers that are sent', async () => {
    const yaml = route(
      'headers',
      `${rule('any', '')}, ${rule('h', 'headers: [{ name: X-A, value: b }]')}`,
    );
    const sent = await explained(`GET ${at('/')}`, yaml, { headers: ['x-a: b'] });
    expect(sent.route?.rule).toBe('h');
    expect(sent.route?.before[0]?.because).toBe('it asks for 1 headers, the other for 0');
    expect((await explained(`GET ${at('/')}`, yaml)).route?.rule).toBe('any');
  });

  it('tells variables and the path after the rewrite', async () => {
    const yaml = `
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: users }
spec: { endpoints: { static: [{ address: 127.0.0.1, port: 4011 }] } }
${route(
  'users',
  `{ name: user, matches: [{ path: { type: Template, value: "/users/{id}" } }],
     rewrite: { path: "/v2/{id}/profile", host: users.internal }, backends: [{ kind: Upstream, name: users }] }`,
)}`;
    const { route: found, action } = await explained(`GET ${at('/a/../users/7%2F?x=1')}`, yaml);
    expect(found?.variables).toEqual({ id: '7%2F' });
    expect(action).toMatchObject({
      type: 'forward',
      target: '/v2/7%2F/profile?x=1',
      host: 'users.internal',
      backends: [{ upstream: 'Upstream default/users', share: 100 }],
    });
  });
});

describe('a request that no rule serves', () => {
  const yaml =
    gateway(
      'web',
      '{ name: http, port: 8080, protocol: HTTP }',
      '{ name: admin, port: 8080, protocol: HTTP, hostname: admin.test }',
    ) +
    route(
      'orders',
      [
        rule('make', 'path: { type: Prefix, value: /orders }, methods: [POST]'),
        rule(
          'tenant',
          'path: { type: Exact, value: /tenant }, headers: [{ name: x-tenant, type: Present }]',
        ),
        rule(
          'page',
          'path: { type: Exact, value: /page }, query: [{ name: n, type: Regex, value: "[0-9]+" }]',
        ),
      ].join(', '),
      'parentRefs: [{ name: web, sectionName: http }]',
    ) +
    route('hosts', rule('all', 'path: { type: Prefix, value: /host }'), 'hostnames: [a.test]') +
    route('users', rule('all', 'path: { type: Prefix, value: /api/users }'));

  it.each([
    ['GET', '/orders/7', 'default/orders', ['method: POST, not GET']],
    ['GET', '/tenant', 'default/orders', ['header: x-tenant, not sent']],
    ['GET', '/page?n=x', 'default/orders', ['query: n ~ [0-9]+, not "x"']],
    ['GET', '/host/x', 'default/hosts', ['host: a.test, not localhost']],
    ['GET', '/api/user', 'default/users', ['path: Prefix /api/users, not /api/user']],
  ])('%s %s is told the nearest: %s', async (method, path, nearest, differs) => {
    const {
      route: found,
      nearest: near,
      answer,
      action,
    } = await explained(`${method} ${at(path)}`, yaml);
    expect([found, action]).toEqual([null, null]);
    expect(near[0]).toMatchObject({ route: nearest, differs });
    expect(answer).toEqual({ status: 404, error: 'Route not found', by: 'gateway', unless: [] });
  });

  it('is told of the listener that took it', async () => {
    const { listener, nearest } = await explained('POST http://admin.test:8080/orders', yaml);
    expect(listener?.name).toBe('admin');
    expect(nearest[0]).toMatchObject({
      route: 'default/orders',
      listener: 'default/web/http',
      differs: ['listener: default/web/http, for any host'],
    });
  });

  it('is told nothing when nothing is near', async () => {
    expect((await explained(`GET ${at('/zzz')}`, yaml)).nearest).toEqual([]);
  });
});

describe('a request that is refused', () => {
  it.each([
    ['GET', '/../x', 400, 'Invalid request target'],
    ['CONNECT', '/', 405, 'CONNECT is not supported'],
    ['GET', `/${'x'.repeat(9000)}`, 414, 'URI too long'],
  ])('%s %.10s answers %d', async (method, path, status, error) => {
    const { answer, listener } = await explained(
      `${method} ${at(path)}`,
      route('all', rule('r', '')),
    );
    expect(answer).toEqual({ status, error, by: 'gateway', unless: [] });
    expect(listener).toBeNull();
  });

  it('with two Hosts is refused', async () => {
    const headers = ['host: a', 'host: b'];
    const { answer } = await explained(`GET ${at('/')}`, route('all', rule('r', '')), { headers });
    expect(answer).toMatchObject({ status: 400, error: 'Invalid Host' });
  });
});

describe('the listener', () => {
  const http = '{ name: http, port: 8080, protocol: HTTP }';
  const other = '{ name: other, port: 9090, protocol: HTTP }';
  const all = route('all', rule('r', ''));

  it.each([
    ['that of the port', [http, other], 'http://localhost:9090/', 'other', []],
    [
      'the only one, whatever the port',
      [http],
      'http://localhost/',
      'http',
      ['nothing listens on port 80: this is about port 8080, the only one that speaks HTTP'],
    ],
    [
      'that of the host',
      [http, '{ name: shop, port: 8080, protocol: HTTP, hostname: "*.shop.test" }'],
      'http://a.shop.test:8080/',
      'shop',
      [],
    ],
  ])('is %s', async (_, listeners, url, name, notes) => {
    const found = await explained(`GET ${url}`, gateway('web', ...listeners) + all);
    expect(found.listener).toMatchObject({ name, gateway: 'default/web' });
    expect(found.notes).toEqual(notes);
  });

  it.each([
    ['https://localhost:8080/', [http], /port 8080 speaks HTTP$/],
    ['https://localhost/', [http], /none speaks https; ports: 8080 \(HTTP\)$/],
    [
      'http://localhost/',
      [http, other],
      /no listener on port 80; ports: 8080 \(HTTP\), 9090 \(HTTP\)$/,
    ],
  ])('of %s cannot be told', async (url, listeners, reason) => {
    await expect(explained(`GET ${url}`, gateway('web', ...listeners) + all)).rejects.toThrow(
      reason,
    );
  });

  it('takes the Host of a header', async () => {
    const yaml = route('a', rule('r', ''), 'hostnames: [a.test]');
    const { route: found } = await explained(`GET ${at('/')}`, yaml, { headers: ['Host: A.test'] });
    expect(found).toMatchObject({ route: 'default/a', hostname: 'a.test' });
  });
});

describe('the action', () => {
  it.each([
    [
      'a redirect',
      '{ name: r, redirect: { scheme: https, host: b.test, status: 301 } }',
      { type: 'redirect', status: 301, location: 'https://b.test/x?y=1' },
      { status: 301, by: 'route' },
    ],
    [
      'an answer',
      '{ name: r, respond: { status: 418, body: short } }',
      { type: 'respond', status: 418, body: 'short' },
      { status: 418, by: 'route' },
    ],
    [
      'a backend that is not there',
      '{ name: r, backends: [{ kind: Upstream, name: none }] }',
      { type: 'forward', backends: [{ upstream: '', share: 100, endpoints: [] }] },
      { status: 500, error: 'Backend not resolved', by: 'gateway' },
    ],
  ])('is %s', async (_, rules, action, answer) => {
    const found = await explained(`GET ${at('/x?y=1')}`, route('all', rules));
    expect(found.action).toMatchObject(action);
    expect(found.answer).toMatchObject(answer);
  });

  it('shares requests by weight, and names endpoints', async () => {
    const yaml = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: old }
spec: { endpoints: { static: [{ address: "::1", port: 4011, weight: 3 }] } }
${route('all', '{ name: r, backends: [{ name: web, weight: 1 }, { kind: Upstream, name: old, weight: 2 }] }')}`;
    const { action, answer } = await explained(`GET ${at('/')}`, yaml);
    expect(action).toMatchObject({
      backends: [
        { upstream: 'Service default/web port 80', share: 33.3, endpoints: [] },
        {
          upstream: 'Upstream default/old',
          share: 66.7,
          endpoints: [{ address: '::1', port: 4011, weight: 3, zone: '' }],
        },
      ],
    });
    expect(answer).toMatchObject({ status: null, by: 'backend' });
  });

  it('leaves open where it goes when that is found out by a gateway that runs', async () => {
    const yaml = `
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: users }
spec: { endpoints: { dns: { name: users.internal, port: 80 } } }
${route('all', '{ name: r, backends: [{ kind: Upstream, name: users }] }')}`;
    const { action, answer, mistakes } = await explained(`GET ${at('/')}`, yaml);
    expect(action).toMatchObject({ backends: [{ discovered: true, endpoints: [] }] });
    expect(answer).toMatchObject({ status: null, by: 'backend' });
    expect(mistakes).toEqual([]);
  });
});
