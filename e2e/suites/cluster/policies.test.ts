import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { requestWith } from '../../src/request.ts';
import { type Condition, program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { kubectl, domain, namespace } = suite('policies');
const host = `shop.${domain}`;
const secret = 'a-secret-of-more-than-thirty-two-bytes';

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
function tokenOf(claims: object, key = secret): string {
  const text = `${base64({ alg: 'HS256' })}.${base64({ exp: 4_000_000_000, ...claims })}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ask = (path = '/', headers: Record<string, string> = {}) =>
  requestWith(`http://${host}${path}`, headers);
const status = async (path?: string, headers?: Record<string, string>) =>
  (await ask(path, headers)).status;

const policy = (kind: string, name: string, spec: object) => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind,
  metadata: { name },
  spec: { targetRefs: [{ kind: 'Route', name: 'shop' }], ...spec },
});
const users = policy('AuthPolicy', 'users', {
  authentication: [{ name: 'users', jwt: { issuers: [{ secretRef: { name: 'jwt' } }] } }],
});
const jwtSecret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'jwt' },
  stringData: { secret },
};

type PolicyObject = {
  status?: { conditions?: Condition[]; ancestors?: { conditions: Condition[] }[] };
};
/** How soon a change is everywhere on a machine with much else to do. */
const patient = { timeout: 15_000 };

/** A condition of a policy at its first target that fits. */
const atTarget = (plural: string, name: string, type: string, fits: (one: Condition) => boolean) =>
  waitFor(
    `a condition ${type} of ${plural} "${name}"`,
    async () => {
      const { status: told } = await kubectl.get<PolicyObject>(`${plural}.gatehouse.dev`, name);
      const found = told?.ancestors?.[0]?.conditions.find((one) => one.type === type);
      return found && fits(found) && found;
    },
    { timeout: 30_000 },
  );
const enforced = (plural: string, name: string) =>
  atTarget(plural, name, 'Enforced', (one) => one.status === 'True');

beforeAll(async () => {
  await program(kubectl, route('shop', host, { respond: { status: 200, body: 'shop' } }));
});

describe('an AuthPolicy', () => {
  it('closes its target until what it needs is there, and says what that is', async () => {
    await kubectl.apply(users);
    const { message } = await atTarget('authpolicies', 'users', 'Enforced', (one) =>
      one.message.includes('does not exist'),
    );
    expect(message).toContain(`Secret "${namespace}/jwt" does not exist`);
    await expect
      .poll(() => ask(), patient)
      .toEqual({
        status: 500,
        body: '{"error":"Policy cannot be enforced"}',
      });
  });

  it('asks for tokens once its Secret is there', async () => {
    await kubectl.apply(jwtSecret);
    const { message } = await enforced('authpolicies', 'users');
    expect(message).toBe('acknowledged by 2 of 2 data planes');
    expect(await ask()).toEqual({ status: 401, body: '{"error":"Missing authentication token"}' });
    expect(await status('/', bearer(tokenOf({ sub: 'ann' })))).toBe(200);
    expect(await status('/', bearer(tokenOf({ sub: 'ann' }, 'another')))).toBe(401);
    expect(await status('/health')).toBe(200);
  });

  it('takes another key as soon as the Secret has it', async () => {
    const other = 'another-secret-of-more-than-thirty-two-bytes';
    await kubectl.apply({ ...jwtSecret, stringData: { secret: other } });
    await expect.poll(() => status('/', bearer(tokenOf({ sub: 'ann' }, other))), patient).toBe(200);
    await expect.poll(() => status('/', bearer(tokenOf({ sub: 'ann' }))), patient).toBe(401);
    await kubectl.apply(jwtSecret);
    await expect.poll(() => status('/', bearer(tokenOf({ sub: 'ann' }))), patient).toBe(200);
  });

  it('is closed again when its Secret goes', async () => {
    await kubectl('delete', 'secret', 'jwt');
    await expect.poll(() => status('/', bearer(tokenOf({ sub: 'ann' }))), patient).toBe(500);
    await kubectl.apply(jwtSecret);
    await expect.poll(() => status('/', bearer(tokenOf({ sub: 'ann' }))), patient).toBe(200);
  });

  it('that is refused by the API server changes nothing', async () => {
    const wrong = { ...users, spec: { ...users.spec, authentication: [{ name: 'users' }] } };
    const { code, stderr } = await kubectl.attemptApply(wrong);
    expect(code).not.toBe(0);
    expect(stderr).toContain('exactly one of jwt, apiKey');
    expect(await status()).toBe(401);
  });

  it('tells where an expression is wrong', async () => {
    const rule = { name: 'a', expression: 'request.pth == "/"' };
    await kubectl.apply(policy('AuthPolicy', 'wrong', { authorization: [rule] }));
    const { message } = await atTarget('authpolicies', 'wrong', 'Accepted', (one) => {
      return one.status === 'False';
    });
    expect(message).toMatch(/spec\.authorization\[0\]\.expression: line 1, column 9.*"path"/);
    await kubectl('delete', 'authpolicies.gatehouse.dev', 'wrong');
    await expect.poll(() => status('/', bearer(tokenOf({ sub: 'ann' }))), patient).toBe(200);
  });

  it('shows what is in force where', async () => {
    const { status: told } = await kubectl.get<{
      status: { effective: { target: string; rules: { name: string; from: string }[] }[] };
    }>('authpolicies.gatehouse.dev', 'users');
    expect(told.effective).toMatchObject([
      {
        target: `Route ${namespace}/shop`,
        rules: [{ name: 'authentication/users', from: `${namespace}/users` }, {}],
      },
    ]);
  });
});

describe('a RateLimitPolicy', () => {
  it('lets through what it says, for each user', async () => {
    const limits = { 'per-user': { rates: [{ limit: 2, window: '1h' }] } };
    await kubectl.apply(policy('RateLimitPolicy', 'limits', { limits }));
    await enforced('ratelimitpolicies', 'limits');
    // Each of the two data planes counts by itself.
    const seen = new Set<number>();
    const ann = bearer(tokenOf({ sub: 'ann' }));
    for (let i = 0; i < 40 && !seen.has(429); i++) seen.add(await status('/', ann));
    expect(seen).toEqual(new Set([200, 429]));
    expect(await status('/', bearer(tokenOf({ sub: 'bob' })))).toBe(200);
  });
});

describe('a policy that goes', () => {
  it('leaves its target as it was', async () => {
    await kubectl('delete', 'ratelimitpolicies.gatehouse.dev', 'limits');
    await kubectl('delete', 'authpolicies.gatehouse.dev', 'users');
    await expect.poll(() => ask(), patient).toEqual({ status: 200, body: 'shop' });
  });
});

describe('a Consumer', () => {
  it('is known by its keys', async () => {
    const key = 'a-key-of-more-than-sixteen-bytes';
    await kubectl.apply([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'keys' },
        stringData: { mobile: key },
      },
      {
        apiVersion: 'gatehouse.dev/v1alpha1',
        kind: 'Consumer',
        metadata: { name: 'app' },
        spec: { plan: 'gold', apiKeys: [{ name: 'keys' }] },
      },
      policy('AuthPolicy', 'keys', {
        authentication: [{ name: 'keys', apiKey: { consumers: true } }],
        authorization: [{ name: 'plan', expression: 'identity.plan == "gold"' }],
      }),
    ]);
    await enforced('authpolicies', 'keys');
    expect(await status('/', { 'x-api-key': key })).toBe(200);
    expect(await status('/', { 'x-api-key': 'a-key-that-nobody-has-given-out' })).toBe(401);
    await kubectl(
      'wait',
      'consumers.gatehouse.dev/app',
      '--for=condition=Accepted',
      '--timeout=30s',
    );
    await kubectl('delete', 'authpolicies.gatehouse.dev', 'keys');
  });
});
