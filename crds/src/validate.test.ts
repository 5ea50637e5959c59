import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Problem, pathText, validateObject } from './index.ts';

const rule = { name: 'all', backends: [{ name: 'users', port: 80 }] };
const metadata = { name: 'shop' };

const route = (spec: unknown) => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Route',
  metadata,
  spec,
});
const rules = (...fields: object[]) => route({ rules: fields });
const ruleWith = (fields: object) => rules({ ...rule, ...fields });
const match = (fields: object) => ruleWith({ matches: [fields] });
const path = (type: string, value: unknown) => match({ path: { type, value } });
const upstream = (spec: unknown) => ({ ...route(spec), kind: 'Upstream' });
const fixed = (endpoint: object) => upstream({ endpoints: { static: [endpoint] } });
const gateway = (listener: object) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata,
  spec: { gatewayClassName: 'gatehouse', listeners: [listener] },
});
const service = (fields: object) => ({ apiVersion: 'v1', kind: 'Service', metadata, ...fields });
const secret = (fields: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata, ...fields });
const slice = (fields: object) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata,
  addressType: 'IPv4',
  ...fields,
});

function problemsOf(value: unknown): Problem[] {
  const validated = validateObject(value);
  return 'problems' in validated ? validated.problems : [];
}

const lines = (value: unknown) =>
  problemsOf(value).map((problem) => `${pathText(problem.path)}: ${problem.message}`);

const label = 'lower-case letters, digits and inner "-", 1 to 63 characters';
const oneAction = 'exactly one of backends, redirect and respond must be given';
const known =
  'Route, Upstream, AuthPolicy, RateLimitPolicy, Consumer, Gateway, Service, EndpointSlice, Secret, Namespace or ReferenceGrant';

describe('mistakes', () => {
  it.each<[string, unknown, string[]]>([
    ['null', null, [': expected an object, found null']],
    ['a list', [], [': expected an object, found a list of 0']],
    ['a string', 'Route', [': expected an object, found "Route"']],
    ['no kind', {}, [`kind: expected ${known}, found nothing`]],
    [
      'a kind with a slip',
      { ...rules(rule), kind: 'route' },
      [`kind: expected ${known}, found "route"; did you mean "Route"?`],
    ],
    ['an inherited kind', { kind: 'toString' }, [`kind: expected ${known}, found "toString"`]],
    [
      'a version that is not there',
      { ...rules(rule), apiVersion: 'gatehouse.dev/v1' },
      ['apiVersion: expected "gatehouse.dev/v1alpha1" for a Route, found "gatehouse.dev/v1"'],
    ],
    [
      'the kind of another group',
      { ...rules(rule), apiVersion: 'route.openshift.io/v1' },
      ['apiVersion: expected "gatehouse.dev/v1alpha1" for a Route, found "route.openshift.io/v1"'],
    ],
    ['no spec', route(undefined), ['spec: expected an object, found nothing']],
    [
      'a field of the root with a slip',
      { ...rules(rule), sepc: {} },
      ['sepc: unknown field; did you mean "spec"?'],
    ],
    [
      'a field that the root does not have',
      { ...rules(rule), data: {} },
      ['data: unknown field; known here: apiVersion, kind, metadata, spec or status'],
    ],
    [
      'no name',
      { ...rules(rule), metadata: {} },
      [
        'metadata.name: expected lower-case letters, digits and inner "-" and ".", 1 to 253 characters, found nothing',
      ],
    ],
    [
      'a name with a slash',
      { ...rules(rule), metadata: { name: 'a/b' } },
      [
        'metadata.name: expected lower-case letters, digits and inner "-" and ".", 1 to 253 characters, found "a/b"',
      ],
    ],
    [
      'a namespace in capitals',
      { ...rules(rule), metadata: { name: 'a', namespace: 'Prod' } },
      [`metadata.namespace: expected ${label}, found "Prod"`],
    ],
    [
      'metadata with a slip',
      { ...rules(rule), metadata: { name: 'a', namespce: 'x' } },
      ['metadata.namespce: unknown field; did you mean "namespace"?'],
    ],
    [
      'a label that is no string',
      { ...rules(rule), metadata: { name: 'a', labels: { 'app.kubernetes.io/x': 1 } } },
      [
        'metadata.labels["app.kubernetes.io/x"]: expected a string of at most 1048576 characters, found 1',
      ],
    ],
    [
      'a time that is none',
      { ...rules(rule), metadata: { name: 'a', creationTimestamp: 'yesterday' } },
      [
        'metadata.creationTimestamp: expected a time such as "2026-01-31T12:00:00Z" (RFC 3339), found "yesterday"',
      ],
    ],
    ['rules missing', route({}), ['spec.rules: expected a list of 1 to 1024 items, found nothing']],
    ['no rules', rules(), ['spec.rules: expected a list of 1 to 1024 items, found a list of 0']],
    [
      'too many rules',
      rules(...Array.from({ length: 1025 }, (_, i) => ({ ...rule, name: `r${i}` }))),
      ['spec.rules: expected a list of 1 to 1024 items, found a list of 1025'],
    ],
    [
      'rules that are no list',
      route({ rules: { a: 1 } }),
      ['spec.rules: expected a list of 1 to 1024 items, found an object'],
    ],
    [
      'a rule that is null',
      route({ rules: [null] }),
      ['spec.rules[0]: expected an object, found null'],
    ],
    [
      'no rule name',
      rules({ backends: rule.backends }),
      [`spec.rules[0].name: expected ${label}, found nothing`],
    ],
    [
      'two rules of one name',
      rules(rule, rule),
      ['spec.rules[1].name: expected a unique name, found "all", which item 0 has as well'],
    ],
    ['no action', rules({ name: 'a' }), [`spec.rules[0]: ${oneAction}`]],
    ['two actions', ruleWith({ respond: { status: 200 } }), [`spec.rules[0]: ${oneAction}`]],
    [
      'an action with a slip',
      rules({ name: 'a', backend: [] }),
      ['spec.rules[0].backend: unknown field; did you mean "backends"?'],
    ],
    [
      'a port by name',
      rules({ name: 'a', backends: [{ name: 'users', port: 'http' }] }),
      ['spec.rules[0].backends[0].port: expected an integer from 1 to 65535, found "http"'],
    ],
    [
      'a port that is too large',
      rules({ name: 'a', backends: [{ name: 'users', port: 65536 }] }),
      ['spec.rules[0].backends[0].port: expected an integer from 1 to 65535, found 65536'],
    ],
    [
      'half a weight',
      rules({ name: 'a', backends: [{ name: 'users', weight: 0.5 }] }),
      ['spec.rules[0].backends[0].weight: expected an integer from 0 to 1000000, found 0.5'],
    ],
    [
      'a weight beyond numbers',
      rules({ name: 'a', backends: [{ name: 'users', weight: Number.POSITIVE_INFINITY }] }),
      ['spec.rules[0].backends[0].weight: expected an integer from 0 to 1000000, found Infinity'],
    ],
    [
      'a kind of backend that is not there',
      rules({ name: 'a', backends: [{ name: 'users', kind: 'Pod' }] }),
      ['spec.rules[0].backends[0].kind: expected "Service" or "Upstream", found "Pod"'],
    ],
    [
      'no backends',
      rules({ name: 'a', backends: [] }),
      ['spec.rules[0].backends: expected a list of 1 to 16 items, found a list of 0'],
    ],
    [
      'a path type',
      path('PathPrefix', '/a'),
      [
        'spec.rules[0].matches[0].path.type: expected "Exact", "Prefix", "Template" or "Regex", found "PathPrefix"',
      ],
    ],
    [
      'a path without slash',
      path('Prefix', 'users'),
      ['spec.rules[0].matches[0].path: value must start with "/"'],
    ],
    [
      'an empty path',
      path('Exact', ''),
      ['spec.rules[0].matches[0].path.value: expected a string of 1 to 1024 characters, found ""'],
    ],
    [
      'a path that is too long',
      path('Exact', `/${'a'.repeat(1024)}`),
      [
        `spec.rules[0].matches[0].path.value: expected a string of 1 to 1024 characters, found "/${'a'.repeat(63)}"... (1025 characters)`,
      ],
    ],
    [
      'a method in lower case',
      match({ methods: ['get'] }),
      [
        'spec.rules[0].matches[0].methods[0]: expected "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" or "TRACE", found "get"',
      ],
    ],
    [
      'a header name with a space',
      match({ headers: [{ name: 'x y', value: '1' }] }),
      [
        'spec.rules[0].matches[0].headers[0].name: expected a token without spaces or separators (RFC 9110), 1 to 256 characters, found "x y"',
      ],
    ],
    [
      'Present with a value',
      match({ headers: [{ name: 'x', type: 'Present', value: '1' }] }),
      [
        'spec.rules[0].matches[0].headers[0]: value is needed for Exact and Regex, and must be left out for Present',
      ],
    ],
    [
      'Exact without a value',
      match({ query: [{ name: 'x' }] }),
      [
        'spec.rules[0].matches[0].query[0]: value is needed for Exact and Regex, and must be left out for Present',
      ],
    ],
    [
      'two rewrites of the path',
      ruleWith({ rewrite: { stripPrefix: true, path: '/' } }),
      ['spec.rules[0].rewrite: at most one of stripPrefix, prefix and path may be given'],
    ],
    [
      'a rewrite with a query',
      ruleWith({ rewrite: { path: '/a?b' } }),
      [
        'spec.rules[0].rewrite.path: expected a path that starts with "/", without query, fragment, spaces or controls, at most 1024 characters, found "/a?b"',
      ],
    ],
    [
      'a wildcard as Host',
      ruleWith({ rewrite: { host: '*.a.com' } }),
      ['spec.rules[0].rewrite: host must not be a wildcard'],
    ],
    [
      'a status that does not redirect',
      rules({ name: 'a', redirect: { status: 304 } }),
      ['spec.rules[0].redirect.status: must be 301, 302, 303, 307 or 308'],
    ],
    [
      'a redirect to two paths',
      rules({ name: 'a', redirect: { path: '/a', prefix: '/b' } }),
      ['spec.rules[0].redirect: give path or prefix, not both'],
    ],
    [
      'a status that is no answer',
      rules({ name: 'a', respond: { status: 101 } }),
      ['spec.rules[0].respond.status: expected an integer from 200 to 599, found 101'],
    ],
    [
      'a line break in a header',
      ruleWith({ responseHeaders: { add: [{ name: 'a', value: 'b\r\nc: d' }] } }),
      [
        'spec.rules[0].responseHeaders.add[0].value: expected visible ASCII characters, spaces and tabs, at most 4096 characters, found "b\\r\\nc: d"',
      ],
    ],
    [
      'a header set twice',
      ruleWith({
        requestHeaders: {
          set: [
            { name: 'a', value: '1' },
            { name: 'a', value: '2' },
          ],
        },
      }),
      [
        'spec.rules[0].requestHeaders.set[1].name: expected a unique name, found "a", which item 0 has as well',
      ],
    ],
    [
      'a number as duration',
      ruleWith({ timeouts: { request: 30 } }),
      [
        'spec.rules[0].timeouts.request: expected a duration such as "30s", "1m30s" or "250ms", at most 32 characters, found 30',
      ],
    ],
    [
      'a duration without unit',
      ruleWith({ timeouts: { request: '30' } }),
      [
        'spec.rules[0].timeouts.request: expected a duration such as "30s", "1m30s" or "250ms", at most 32 characters, found "30"',
      ],
    ],
    [
      'a host in capitals',
      route({ hostnames: ['Shop.example.com'], rules: [rule] }),
      [
        'spec.hostnames[0]: expected a lower-case host name such as "shop.example.com" or "*.example.com", 1 to 253 characters, found "Shop.example.com"',
      ],
    ],
    [
      'a string as boolean',
      ruleWith({ rewrite: { stripPrefix: 'yes' } }),
      ['spec.rules[0].rewrite.stripPrefix: expected true or false, found "yes"'],
    ],
    [
      'retries of nothing',
      rules({ name: 'all', respond: { status: 200 }, retries: {} }),
      ['spec.rules[0]: retries go with backends'],
    ],
    [
      'a reason for retries with a slip',
      ruleWith({ retries: { on: ['5XX'] } }),
      [
        'spec.rules[0].retries.on[0]: expected "connect-failure", "reset", "gateway-error", "5xx", "cancelled", "deadline-exceeded", "internal", "resource-exhausted" or "unavailable", found "5XX"',
      ],
    ],
    [
      'retries of what is no failure',
      ruleWith({ retries: { statuses: [200], attempts: 11 } }),
      [
        'spec.rules[0].retries.attempts: expected an integer from 1 to 10, found 11',
        'spec.rules[0].retries.statuses[0]: expected an integer from 400 to 599, found 200',
      ],
    ],
    [
      'a fallback for nothing',
      rules({ name: 'all', respond: { status: 200 }, fallback: { respond: { status: 200 } } }),
      ['spec.rules[0]: fallback goes with backends'],
    ],
    [
      'a fallback to two',
      ruleWith({ fallback: { respond: { status: 200 }, backend: { name: 'a' } } }),
      ['spec.rules[0].fallback: exactly one of backend and respond must be given'],
    ],
    [
      'an upstream without endpoints',
      upstream({ endpoints: {} }),
      ['spec.endpoints: exactly one of static, service, consul and dns must be given'],
    ],
    [
      'an upstream with two sources',
      upstream({ endpoints: { static: [{ address: '::1', port: 1 }], service: { name: 'a' } } }),
      ['spec.endpoints: exactly one of static, service, consul and dns must be given'],
    ],
    [
      'a name as address',
      fixed({ address: 'users.local', port: 80 }),
      [
        'spec.endpoints.static[0].address: expected an IPv4 or IPv6 address, 2 to 45 characters, found "users.local"',
      ],
    ],
    [
      'an endpoint without port',
      fixed({ address: '10.0.0.1' }),
      ['spec.endpoints.static[0].port: expected an integer from 1 to 65535, found nothing'],
    ],
    [
      'a protocol of Gateway API that is not served',
      gateway({ name: 'a', port: 80, protocol: 'UDP' }),
      ['spec.listeners[0].protocol: expected "HTTP" or "HTTPS", found "UDP"'],
    ],
    [
      'a Gateway listener with a slip',
      gateway({ name: 'a', port: 80, protocol: 'HTTP', hostnmae: 'a.com' }),
      ['spec.listeners[0].hostnmae: unknown field; did you mean "hostname"?'],
    ],
    [
      'a Service port that is a string',
      service({ spec: { ports: [{ port: '80' }] } }),
      ['spec.ports[0].port: expected an integer from 1 to 65535, found "80"'],
    ],
    [
      'a slice without addresses',
      slice({ endpoints: [{ addresses: [] }] }),
      ['endpoints[0].addresses: expected a list of 1 to 100 items, found a list of 0'],
    ],
    [
      'a secret, which is not repeated',
      secret({ stringData: { password: 12345 } }),
      ['stringData.password: expected a string of at most 1048576 characters, found a number'],
    ],
  ])('%s', (_, value, expected) => {
    expect(lines(value)).toEqual(expected);
  });

  it('are reported all at once, in the order of the schema', () => {
    const bad = rules(
      { name: 'A', matches: [{ path: { type: 'Prefix', value: 'a' } }], backends: [{ port: 0 }] },
      { name: 'b', respond: { status: 1 }, timeout: '1s' },
    );
    expect(problemsOf(bad).map((problem) => pathText(problem.path))).toEqual([
      'spec.rules[0].name',
      'spec.rules[0].matches[0].path',
      'spec.rules[0].backends[0].name',
      'spec.rules[0].backends[0].port',
      'spec.rules[1].respond.status',
      'spec.rules[1].timeout',
    ]);
  });

  it('are bounded in number and size', () => {
    const spec = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`field${i}`.padEnd(10_000, 'x'), 1]),
    );
    const problems = problemsOf(route(spec));
    expect(problems).toHaveLength(200);
    const value = 'x'.repeat(5_000_000);
    const [problem] = problemsOf(rules({ name: value, respond: { status: 200 } }));
    expect(problem?.message.length).toBeLessThan(300);
  });

  it('survive nesting without end', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = { rules: [deep] };
    expect(problemsOf(route(deep)).length).toBeGreaterThan(0);
    expect(problemsOf({ ...rules(rule), status: deep })).toEqual([]);
  });
});

describe('good objects', () => {
  it.each<[string, unknown]>([
    ['a Route', rules(rule)],
    ['a Route with status', { ...rules(rule), status: { anything: ['at', 'all'] } }],
    ['a Regex path', path('Regex', '[^/]+//?')],
    ['a value of Exact', match({ headers: [{ name: 'x', type: 'Exact', value: '' }] })],
    ['Present', match({ query: [{ name: 'x', type: 'Present' }] })],
    ['stripPrefix: false beside a path', ruleWith({ rewrite: { stripPrefix: false, path: '/a' } })],
    ['a path of 1024 code points', path('Exact', `/${'\u{1f600}'.repeat(1023)}`)],
    ['an Upstream', fixed({ address: '10.0.0.1', port: 80 })],
    [
      'foreign fields of a Service',
      service({ spec: { type: 'ClusterIP', ports: [] }, status: {} }),
    ],
  ])('%s is returned as it is, without defaults', (_, value) => {
    const before = structuredClone(value);
    const validated = validateObject(value);
    expect(validated).toEqual({ object: before });
    expect('object' in validated && validated.object).toBe(value);
  });

  it('lose the fields that are null, as with the API server', () => {
    const validated = validateObject(ruleWith({ matches: null, timeouts: { request: null } }));
    expect(validated).toEqual({ object: ruleWith({ timeouts: {} }) });
  });

  it('lose the nulls that Kubernetes writes for what is left out', () => {
    const validated = validateObject({
      ...slice({ endpoints: null, ports: null }),
      metadata: { name: 'a', creationTimestamp: null },
    });
    expect(validated).toEqual({ object: { ...slice({ endpoints: [] }), metadata: { name: 'a' } } });
  });
});

describe('any JSON value', () => {
  const kind = fc.constantFrom(
    'Route',
    'Upstream',
    'Gateway',
    'Service',
    'EndpointSlice',
    'Secret',
  );
  const apiVersion = fc.constantFrom('gatehouse.dev/v1alpha1', 'v1', 'discovery.k8s.io/v1');
  const key = fc.constantFrom('name', 'rules', 'backends', 'matches', 'port', 'path', '__proto__');
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'medium' },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(key, fc.string()), tie('node'), { maxKeys: 4 }),
    ),
  })).node;

  it('is judged without a throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(validateObject(value)).toHaveProperty('problems');
      }),
    );
    fc.assert(
      fc.property(fc.record({ apiVersion, kind, metadata: tree, spec: tree }), (value) => {
        for (const problem of problemsOf(value)) expect(problem.message).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });
});
