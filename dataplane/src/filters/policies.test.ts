import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf } from '../testing/message.ts';
import { authPolicy, forwardRule, type TestPolicy } from '../testing/snapshot.ts';

let backend: RawBackend;
let gateway: TestGateway;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend);
});
beforeEach(() => backend.reset());
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

const rules = [
  forwardRule('backend', { name: 'all' }),
  forwardRule('backend', { name: 'a', prefix: '/a' }),
];

async function serve(...policies: TestPolicy[]) {
  const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
  await gateway.use({ rules, upstreams, policies });
}

async function ask(path = '/', lines = '') {
  const client = await connectTo(gateway.port);
  client.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
  const answer = await client.message();
  client.end();
  return { status: statusOf(answer), body: answer.body.toString() };
}

const everybody = { name: 'everybody', anonymous: {} };
const nobody = { name: 'nobody', expression: 'false' };
const named = (block: string, config: { name: string }) => ({ block, name: config.name, config });
const refusing = authPolicy({ authorization: [nobody] });

describe('a policy', () => {
  it('that cannot be enforced answers 500 in its scope, and nowhere else', async () => {
    await serve({ kind: 'AuthPolicy', scope: 'default/test/0/default/test/a', broken: 'bad' });
    expect(await ask('/a')).toEqual({
      status: 500,
      body: '{"error":"Policy cannot be enforced"}',
    });
    expect((await ask('/b')).status).toBe(200);
    expect(backend.requests).toHaveLength(1);
  });

  it('of a kind that nobody knows lets nothing through when it is broken', async () => {
    await serve({ kind: 'FuturePolicy', broken: 'unknown kind' });
    expect((await ask()).status).toBe(500);
  });

  it.each<[string, TestPolicy, RegExp]>([
    ['an unknown kind', { kind: 'FuturePolicy' }, /is no policy this release knows/],
    [
      'an unknown field',
      {
        kind: 'AuthPolicy',
        rules: [named('authorization', { ...nobody, until: 'noon' } as never)],
      },
      /authorization\[nobody\]/,
    ],
    [
      'an unknown block',
      { kind: 'AuthPolicy', rules: [named('quotas', nobody)] },
      /no kind this release knows/,
    ],
    [
      'an expression that is not sound',
      authPolicy({ authorization: [{ name: 'x', expression: '1 +' }] }),
      /authorization\[x\].expression/,
    ],
    [
      'a condition that is not sound',
      { ...refusing, origins: [{ name: 'default/test', when: '1 +' }] },
      /origins\[0\].when/,
    ],
    [
      'an address that is none',
      authPolicy({ authorization: [{ name: 'x', addresses: { allow: ['1.2.3.4/33'] } }] }),
      /authorization\[x\].addresses.allow\[0\]/,
    ],
  ])('with %s is refused, and what was in force stays', async (_, policy, reason) => {
    await serve(refusing);
    await expect(serve(policy)).rejects.toThrow(reason);
    expect((await ask()).status).toBe(403);
  });

  it('of a narrower scope counts alone', async () => {
    const open = authPolicy({ authentication: [everybody] });
    await serve(refusing, { ...open, scope: 'default/test/0/default/test' });
    expect((await ask()).status).toBe(200);
    await serve(open, { ...refusing, scope: 'default/test/0/default/test/a' });
    expect((await ask('/a')).status).toBe(403);
    expect((await ask('/b')).status).toBe(200);
  });

  it('is counted and logged', async () => {
    await serve(refusing);
    const before = gateway.denials.length;
    await ask();
    expect(gateway.metrics()).toContain(
      'gatehouse_policy_decisions_total{kind="AuthPolicy",policy="default/test",rule="authorization/nobody",decision="denied"}',
    );
    expect(gateway.denials.slice(before)).toEqual([
      expect.objectContaining({
        policy: 'default/test',
        rule: 'authorization/nobody',
        reason: 'the expression is false',
        shadow: false,
      }),
    ]);
  });
});

describe('several policies', () => {
  const origins = [{ name: 'a/first', when: 'request.method == "POST"' }, { name: 'a/second' }];
  const two = (more: object, closes = 0): TestPolicy => ({
    kind: 'AuthPolicy',
    origins,
    rules: [
      { ...named('authorization', { ...nobody, ...more }), origin: 0, closes },
      { ...named('authorization', { name: 'nobody', expression: 'true' } as never), origin: 1 },
      { ...named('authorization', { name: 'other', expression: 'true' } as never), origin: 1 },
    ],
  });

  it('replace rules of the same name while they apply', async () => {
    await serve(two({}));
    expect((await ask()).status).toBe(200);
    await serve({ ...two({}), origins: [{ name: 'a/first' }, { name: 'a/second' }] });
    expect((await ask()).status).toBe(403);
  });

  it('leave excluded paths alone', async () => {
    const excludedPaths = ['/health', '/public/*'];
    await serve({ ...refusing, origins: [{ name: 'default/test', excludedPaths }] });
    const statuses = [
      '/',
      '/health',
      '/healthy',
      '/health/',
      '/public/a',
      '/public',
      '/x/../health',
    ];
    const seen = [];
    for (const path of statuses) seen.push((await ask(path)).status);
    expect(seen).toEqual([403, 200, 403, 403, 200, 403, 200]);
  });

  it('try what lets everybody in last, wherever it stands', async () => {
    const users = { name: 'users', basic: { secretRef: { name: 'users' } } };
    const policy = authPolicy({ authentication: [everybody, users] });
    // The password is "secret".
    const entries = {
      'policy/default/users/auth': { auth: 'a:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=' },
    };
    const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
    await gateway.use({ rules, upstreams, policies: [policy], entries });
    const basic = (text: string) =>
      `Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`;
    expect((await ask('/', basic('a:wrong'))).status).toBe(401);
    expect((await ask('/')).status).toBe(200);
    expect(valuesOf(backend.requests.at(-1)!.fields, 'x-user-id')).toEqual([]);
    expect((await ask('/', basic('a:secret'))).status).toBe(200);
    expect(valuesOf(backend.requests.at(-1)!.fields, 'x-user-id')).toEqual(['a']);
  });

  it('in shadow are told of and not enforced', async () => {
    await serve({ ...refusing, origins: [{ name: 'default/test', shadow: true }] });
    expect((await ask()).status).toBe(200);
    expect(gateway.metrics()).toContain('decision="shadow_denied"');
    expect(gateway.denials.at(-1)).toMatchObject({ shadow: true });
  });

  it('in shadow say nothing of requests that are refused anyhow', async () => {
    const origins = [{ name: 'a/first', shadow: true }, { name: 'a/second' }];
    const both = ['first', 'second'].map((name, origin) => {
      return { ...named('authorization', { ...nobody, name }), origin };
    });
    await serve({ kind: 'AuthPolicy', origins, rules: both });
    const before = gateway.denials.length;
    expect((await ask()).status).toBe(403);
    expect(gateway.denials.slice(before)).toMatchObject([{ rule: 'authorization/second' }]);
  });

  it('in shadow do not replace those that are enforced', async () => {
    const origins = [{ name: 'a/first', shadow: true }, { name: 'a/second' }];
    await serve({
      kind: 'AuthPolicy',
      origins,
      rules: [
        { ...named('authorization', { name: 'x', expression: 'true' } as never), origin: 0 },
        { ...named('authorization', { name: 'x', expression: 'false' } as never), origin: 1 },
      ],
    });
    expect((await ask()).status).toBe(403);
  });
});

describe('headers of the identity', () => {
  const spellings = [
    'X-User-ID',
    'x_user_id',
    'X-USER_id',
    'x.user.id',
    'X-User-Role',
    'x_user-role',
  ];

  it('never come from a client, whatever the spelling, on no route of the Gateway', async () => {
    const scope = 'default/test/0/default/test/a';
    await serve({ ...authPolicy({ authentication: [everybody] }), scope });
    for (const path of ['/a', '/b']) {
      await ask(path, spellings.map((name) => `${name}: root\r\n`).join(''));
      const { fields } = backend.requests.at(-1)!;
      expect(fields.filter(([name]) => /user/i.test(name))).toEqual([]);
    }
  });

  it('are left alone without an AuthPolicy', async () => {
    await serve();
    await ask('/', 'X-User-ID: 7\r\n');
    expect(valuesOf(backend.requests.at(-1)!.fields, 'x-user-id')).toEqual(['7']);
  });
});
