/** Objects that the API server and the validation of Gatehouse must judge alike. */

const rule = { name: 'all', backends: [{ name: 'users', port: 80 }] };

const route = (spec: object) => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: 'shop' },
  spec,
});
export const rules = (...fields: object[]) => route({ rules: fields });
const ruleWith = (fields: object) => rules({ ...rule, ...fields });
const match = (fields: object) => ruleWith({ matches: [fields] });
const path = (type: string, value: string) => match({ path: { type, value } });
const upstream = (spec: object) => ({ ...route(spec), kind: 'Upstream' });
const fixed = (endpoint: object) => upstream({ endpoints: { static: [endpoint] } });

export const good: [string, object][] = [
  ['a rule with a backend', rules(rule)],
  [
    'everything that a rule can have',
    route({
      parentRefs: [{ name: 'edge', namespace: 'infra', sectionName: 'web', port: 80 }],
      hostnames: ['shop.example.com', '*.example.com'],
      rules: [
        {
          name: 'all',
          matches: [
            {
              path: { type: 'Prefix', value: '/api' },
              methods: ['GET', 'POST'],
              headers: [
                { name: 'x-tenant', value: 'a' },
                { name: 'x-beta', type: 'Present' },
              ],
              query: [{ name: 'v', type: 'Regex', value: '[0-9]+' }],
            },
          ],
          requestHeaders: { set: [{ name: 'x-a', value: '1' }], remove: ['x-b'] },
          responseHeaders: { add: [{ name: 'x-c', value: '2' }] },
          rewrite: { stripPrefix: true, host: 'users.internal' },
          backends: [
            { name: 'users', port: 80, weight: 9 },
            { kind: 'Upstream', name: 'other', namespace: 'shop', weight: 1 },
          ],
          mirrors: [{ name: 'copy', port: 80, percent: 10 }],
          timeouts: { request: '30s', backendRequest: '1m30s', idle: '0s' },
        },
      ],
    }),
  ],
  ['a redirect', rules({ name: 'all', redirect: { scheme: 'https', status: 308 } })],
  ['an answer', rules({ name: 'all', respond: { status: 200, body: 'hello' } })],
  ['a regular expression', path('Regex', '[^/]+//?')],
  ['a path beyond the first plane', path('Exact', `/${'\u{1f600}'.repeat(1023)}`)],
  ['a value of Exact that is empty', match({ headers: [{ name: 'x', type: 'Exact', value: '' }] })],
  ['1,024 rules', rules(...Array.from({ length: 1024 }, (_, i) => ({ ...rule, name: `r${i}` })))],
  ['an Upstream of IPv4 and IPv6', fixed({ address: '::1', port: 1, weight: 2, zone: 'a' })],
  ['an Upstream of a Service', upstream({ endpoints: { service: { name: 'users' } } })],
];

export const bad: [string, object, RegExp][] = [
  [
    'a field with a slip',
    rules({ name: 'a', backend: [], respond: { status: 200 } }),
    /unknown field "spec.rules\[0\].backend"/,
  ],
  ['no rules', rules(), /spec.rules.*should have at least 1 items/],
  ['two rules of one name', rules(rule, rule), /spec.rules\[1\]: Duplicate value/],
  [
    'a rule without name',
    rules({ backends: rule.backends }),
    /spec.rules\[0\].name: Required value/,
  ],
  [
    'a rule without action',
    rules({ name: 'a' }),
    /exactly one of backends, redirect and respond must be given/,
  ],
  [
    'a rule with two actions',
    ruleWith({ respond: { status: 200 } }),
    /spec.rules\[0\].*exactly one of backends, redirect and respond must be given/,
  ],
  [
    'a port that is too large',
    rules({ name: 'a', backends: [{ name: 'users', port: 65536 }] }),
    /spec.rules\[0\].backends\[0\].port.*should be less than or equal to 65535/,
  ],
  [
    'a port by name',
    rules({ name: 'a', backends: [{ name: 'users', port: 'http' }] }),
    /spec.rules\[0\].backends\[0\].port.*must be of type integer: "string"/,
  ],
  [
    'a kind of backend that is not there',
    rules({ name: 'a', backends: [{ name: 'users', kind: 'Pod' }] }),
    /Unsupported value: "Pod": supported values: "Service", "Upstream"/,
  ],
  [
    'a path type',
    path('PathPrefix', '/a'),
    /supported values: "Exact", "Prefix", "Template", "Regex"/,
  ],
  ['a path without slash', path('Prefix', 'users'), /value must start with "\/"/],
  ['a method in lower case', match({ methods: ['get'] }), /Unsupported value: "get"/],
  [
    'Present with a value',
    match({ headers: [{ name: 'x', type: 'Present', value: '1' }] }),
    /value is needed for Exact and Regex, and must be left out for Present/,
  ],
  [
    'a header name with a space',
    match({ headers: [{ name: 'x y', value: '1' }] }),
    /spec.rules\[0\].matches\[0\].headers\[0\].name/,
  ],
  [
    'two rewrites of the path',
    ruleWith({ rewrite: { stripPrefix: true, path: '/' } }),
    /at most one of stripPrefix, prefix and path may be given/,
  ],
  ['a wildcard as Host', ruleWith({ rewrite: { host: '*.a.com' } }), /host must not be a wildcard/],
  [
    'a status that does not redirect',
    rules({ name: 'a', redirect: { status: 304 } }),
    /must be 301, 302, 303, 307 or 308/,
  ],
  [
    'a redirect to two paths',
    rules({ name: 'a', redirect: { path: '/a', prefix: '/b' } }),
    /give path or prefix, not both/,
  ],
  [
    'a line break in a header',
    ruleWith({ responseHeaders: { add: [{ name: 'a', value: 'b\r\nc: d' }] } }),
    /spec.rules\[0\].responseHeaders.add\[0\].value/,
  ],
  [
    'a duration without unit',
    ruleWith({ timeouts: { request: '30' } }),
    /spec.rules\[0\].timeouts.request/,
  ],
  [
    'a host in capitals',
    route({ hostnames: ['Shop.example.com'], rules: [rule] }),
    /spec.hostnames\[0\]/,
  ],
  [
    'an Upstream with two sources',
    upstream({ endpoints: { static: [{ address: '::1', port: 1 }], service: { name: 'a' } } }),
    /exactly one of static, service, consul and dns must be given/,
  ],
  [
    'a name as address',
    fixed({ address: 'users.local', port: 80 }),
    /endpoints.static\[0\].address/,
  ],
];
