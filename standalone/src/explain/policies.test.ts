import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Explanation } from './explanation.ts';
import { explained, gateway, policy, route, rule } from './testing.ts';

const web = gateway('web', '{ name: http, port: 8080, protocol: HTTP }');
const orders = route('orders', `${rule('read', 'methods: [GET]')}, ${rule('write', '', 201)}`);
const everybody = 'authentication: [{ name: users, anonymous: {} }]';
const toGateway = 'targetRefs: [{ kind: Gateway, name: web }]';
const toListener = 'targetRefs: [{ kind: Gateway, name: web, sectionName: http }]';
const toRoute = 'targetRefs: [{ kind: Route, name: orders }]';
const toRule = 'targetRefs: [{ kind: Route, name: orders, sectionName: read }]';
const check = (name: string, expression = 'true') =>
  `authorization: [{ name: ${name}, expression: '${expression}' }]`;

async function get(policies: string, path = '/x', more?: Parameters<typeof explained>[2]) {
  return explained(`GET http://localhost:8080${path}`, web + orders + policies, more);
}

function onlyPolicy({ policies: [first, ...others] }: Explanation) {
  expect(others).toEqual([]);
  if (!first) throw new Error('there is no policy');
  return first;
}

/** "rule from target" of each, with an asterisk for overrides. */
function inForce(explanation: Explanation): string[] {
  return onlyPolicy(explanation).rules.map(
    ({ rule: name, from, target, overrides }) =>
      `${name} ${from} ${target}${overrides ? ' *' : ''}`,
  );
}

describe('rules in force', () => {
  it('come with the object and the target of each level', async () => {
    const found = await get(
      policy('gateway', `${toGateway}, defaults: { ${check('a')} }`) +
        policy('listener', `${toListener}, ${check('b')}`) +
        policy('route', `${toRoute}, ${check('c')}`) +
        policy('rule', `${toRule}, ${check('d')}`),
    );
    expect(inForce(found)).toEqual([
      'authorization/d default/rule rule read of Route default/orders',
      'authorization/c default/route Route default/orders',
      'authorization/b default/listener listener http of Gateway default/web',
      'authorization/a default/gateway Gateway default/web',
    ]);
    expect(onlyPolicy(found).scope).toBe('rule read of Route default/orders');
  });

  it('come with the level of overrides, whatever the depth of the scope', async () => {
    const over = (name: string, target: string) =>
      policy(name, `${target}, overrides: { ${check(name)} }`);
    const all = over('gateway', toGateway) + over('listener', toListener);
    expect(inForce(await get(all))).toEqual([
      'authorization/gateway default/gateway Gateway default/web *',
      'authorization/listener default/listener listener http of Gateway default/web *',
    ]);
    expect(inForce(await get(all + over('route', toRoute) + over('rule', toRule)))).toEqual([
      'authorization/gateway default/gateway Gateway default/web *',
      'authorization/listener default/listener listener http of Gateway default/web *',
      'authorization/route default/route Route default/orders *',
      'authorization/rule default/rule rule read of Route default/orders *',
    ]);
  });

  it('name what they replace and what they close out', async () => {
    const found = await get(
      policy('gateway', `${toGateway}, overrides: { ${everybody}, ${check('office', '1 == 1')} }`) +
        policy(
          'route',
          `${toRoute}, authentication: [{ name: others, anonymous: {} }], ${check('office')}`,
        ),
    );
    const { rules, notInForce } = onlyPolicy(found);
    expect(rules.map(({ rule: name, replaces }) => [name, replaces])).toEqual([
      ['authentication/users', [{ rule: 'authentication/others', from: 'default/route' }]],
      ['authorization/office', [{ rule: 'authorization/office', from: 'default/route' }]],
      ['identity/defaultHeaders', []],
    ]);
    expect(notInForce.map(({ rule: name, because }) => `${name}: ${because}`)).toEqual([
      'authentication/others: closed out by authentication/users of default/gateway',
      'authorization/office: replaced by authorization/office of default/gateway',
      'identity/defaultHeaders: identity/defaultHeaders of default/gateway says the same',
    ]);
    expect(found.answer).toMatchObject({ status: 200, unless: ['AuthPolicy'] });
  });

  it('are those of the rule that serves the request', async () => {
    const found = await explained(
      'POST http://localhost:8080/x',
      web + orders + policy('rule', `${toRule}, ${check('d')}`),
    );
    expect(found.route?.rule).toBe('write');
    expect(found.policies).toEqual([]);
  });
});

describe('a policy that does not apply', () => {
  it.each([
    ['excludedPaths: [/x]', '/x', 'path /x is excluded (/x)'],
    ['excludedPaths: ["/public/*"]', '/y/../public/a', 'path /public/a is excluded (/public/*)'],
  ])('says so: %s', async (excluded, path, because) => {
    const found = await get(policy('route', `${toRoute}, ${excluded}, ${check('c')}`), path);
    const { origins, rules, notInForce } = onlyPolicy(found);
    expect(origins).toMatchObject([{ policy: 'default/route', excluded: true, applies: false }]);
    expect(rules).toEqual([]);
    expect(notInForce).toMatchObject([{ rule: 'authorization/c', because }]);
    expect(found.answer).toMatchObject({ status: 200, unless: [] });
  });

  it.each([
    ['request.method == "POST"', false, {}],
    ['request.method == "GET"', true, {}],
    ['request.headers["x-a"] == "b"', true, { headers: ['X-A: b'] }],
    ['client.address == "10.1.2.3"', true, { client: '10.1.2.3' }],
    ['client.address == "10.1.2.3"', false, {}],
    ['request.path.startsWith("/x") && request.host == "localhost"', true, {}],
    ['request.route == "default/orders" && request.rule == "read"', true, {}],
  ])('because of when: %s is %s', async (when, holds, more) => {
    const found = await get(policy('a', `${toRoute}, when: '${when}', ${check('c')}`), '/x', more);
    const { origins, rules } = onlyPolicy(found);
    expect(origins).toMatchObject([
      { when, whenHolds: holds, applies: holds, because: holds ? '' : `when is false: ${when}` },
    ]);
    expect(rules).toHaveLength(holds ? 1 : 0);
  });

  it('leaves what it replaced in force', async () => {
    const found = await get(
      policy('gateway', `${toGateway}, ${check('c', '1 == 1')}`) +
        policy('route', `${toRoute}, when: 'request.method == "POST"', ${check('c')}`),
    );
    expect(inForce(found)).toEqual(['authorization/c default/gateway Gateway default/web']);
  });
});

describe('a policy whose when asks for the identity', () => {
  const limit = (when: string) =>
    policy(
      'limit',
      `${toRoute}, when: '${when}', limits: { all: { rates: [{ limit: 1, window: 1s }] } }`,
    ).replace('AuthPolicy', 'RateLimitPolicy');

  it('may apply: its rules are marked', async () => {
    const found = await get(limit('identity.plan == "gold"'));
    const { kind, origins, rules } = onlyPolicy(found);
    expect(kind).toBe('RateLimitPolicy');
    expect(origins).toMatchObject([
      {
        whenHolds: null,
        applies: null,
        because: 'when depends on the identity: identity.plan == "gold"',
      },
    ]);
    expect(rules).toMatchObject([{ rule: 'limits/all', uncertain: true }]);
  });

  it('or does not, when it can be told without', async () => {
    const { origins, rules } = onlyPolicy(await get(limit('request.method == "POST"')));
    expect(origins).toMatchObject([{ whenHolds: false, applies: false }]);
    expect(rules).toEqual([]);
  });

  it('comes after those that find it out', async () => {
    const found = await get(limit('true') + policy('auth', `${toRoute}, ${everybody}`));
    expect(found.policies.map(({ kind }) => kind)).toEqual(['AuthPolicy', 'RateLimitPolicy']);
    expect(found.answer.unless).toEqual(['AuthPolicy', 'RateLimitPolicy']);
  });
});

describe('a policy in shadow', () => {
  it('is told apart and replaces nothing', async () => {
    const found = await get(
      policy('gateway', `${toGateway}, ${check('c', '1 == 1')}`) +
        policy('route', `${toRoute}, shadow: true, ${check('c', 'false')}`),
    );
    expect(inForce(found)).toEqual(['authorization/c default/gateway Gateway default/web']);
    const { shadow, notInForce } = onlyPolicy(found);
    expect(shadow).toMatchObject([
      {
        rule: 'authorization/c',
        from: 'default/route',
        replaces: [{ rule: 'authorization/c', from: 'default/gateway' }],
      },
    ]);
    expect(notInForce).toEqual([]);
  });
});

describe('a policy that cannot be enforced', () => {
  it('answers 500, and says why', async () => {
    const found = await get(
      policy(
        'route',
        `${toRoute}, authentication: [{ name: b, basic: { secretRef: { name: none } } }]`,
      ),
    );
    const { broken } = onlyPolicy(found);
    expect(broken).toMatch(
      /AuthPolicy "default\/route": spec.authentication.*Secret "default\/none"/,
    );
    expect(found.answer).toEqual({
      status: 500,
      error: 'Policy cannot be enforced',
      by: 'policy',
      unless: [],
    });
    expect(found.mistakes.join()).toMatch(/AuthPolicy default\/route: SecretNotFound/);
  });

  it('because its rules cannot be read answers 500', async () => {
    const found = await get(policy('a', `${toRoute}, authorisation: [{ name: a, roles: [b] }]`));
    expect(onlyPolicy(found).broken).toMatch(/spec\.authorisation.*did you mean "authorization"/);
    expect(found.answer).toMatchObject({ status: 500, by: 'policy' });
  });

  it('because of a when without a value answers 500', async () => {
    const when = 'request.headers["x-none"] == "b"';
    const found = await get(policy('a', `${toRoute}, when: '${when}', ${check('c')}`));
    const { broken, origins } = onlyPolicy(found);
    expect(broken).toMatch(/^when of default\/a cannot be evaluated: .*line 1, column/);
    expect(origins).toMatchObject([{ whenHolds: null, applies: null }]);
    expect(found.answer).toMatchObject({ status: 500, by: 'policy' });
  });
});

it('headers that only the gateway may send are dropped before rules are matched', async () => {
  const yaml = `${web}${policy('a', `${toGateway}, ${everybody}`)}${route(
    'orders',
    `${rule('any', '')}, ${rule('root', 'headers: [{ name: x-user-id, value: root }]')}`,
  )}`;
  const found = await explained('GET http://localhost:8080/', yaml, {
    headers: ['x-user-id: root', 'X_User_Role: admin', 'x-other: 1'],
  });
  expect(found.route?.rule).toBe('any');
  expect(found.request.droppedHeaders).toEqual(['x-user-id', 'X_User_Role']);
});

it('nobody is asked for keys', async () => {
  const asked: (string | undefined)[] = [];
  const issuer = createServer((request, response) => {
    asked.push(request.url);
    response.end();
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = issuer.address() as AddressInfo;
    const jwks = `jwks: { url: "http://127.0.0.1:${port}/keys" }`;
    const found = await get(
      policy('a', `${toRoute}, authentication: [{ name: j, jwt: { issuers: [{ ${jwks} }] } }]`),
    );
    expect(found.mistakes).toEqual([]);
    // Whatever was sent before these arrives before them.
    for (const mark of ['/1', '/2']) await fetch(`http://127.0.0.1:${port}${mark}`);
    expect(asked).toEqual(['/1', '/2']);
  } finally {
    issuer.closeAllConnections();
    await new Promise((resolve) => issuer.close(resolve));
  }
});
