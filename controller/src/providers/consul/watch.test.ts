import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ConsulSource } from '../../compile/discovery-source.ts';
import { createRecorder } from '../discovery/testing/recorder.ts';
import { type ConsulTiming, watchConsul } from './index.ts';
import { describeConsul, startConsul, type TestConsul } from './testing/consul.ts';

const timing: ConsulTiming = {
  refresh: 30_000,
  gap: 5,
  poll: 50,
  patience: 5000,
  retry: { first: 20, most: 100 },
};

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function follow(
  consul: TestConsul,
  fields: Partial<ConsulSource> = {},
  token?: string,
  times = timing,
) {
  const recorder = createRecorder();
  const source: ConsulSource = {
    kind: 'consul',
    address: new URL(consul.address),
    service: 'users',
    datacenter: undefined,
    tags: [],
    zoneMeta: 'zone',
    tokenRef: token === undefined ? undefined : { name: 'consul' },
    caRef: undefined,
    serverName: undefined,
    ...fields,
  };
  opened.push(watchConsul(source, { token, ca: undefined }, recorder.sink, times));
  return recorder;
}

describeConsul('a service of Consul', () => {
  let consul: TestConsul;
  beforeAll(async () => {
    consul = await startConsul({ hcl: 'node_meta { zone = "eu-1a" }' });
  });
  afterAll(() => consul.close());
  beforeEach(async () => {
    const services = (await consul.call('GET', '/v1/agent/services')) as Record<string, unknown>;
    for (const id of Object.keys(services)) await consul.deregister(id);
  });

  const users = (Port: number, fields: object = {}) =>
    consul.register({ Name: 'users', Port, Address: '127.0.0.1', ...fields });
  const check = { CheckID: 'check', TTL: '1h', Status: 'passing' };

  it('is followed as instances come and go', async () => {
    await users(4001, { Weights: { Passing: 7, Warning: 1 } });
    const recorder = follow(consul);
    const { endpoints } = await recorder.list(4001);
    expect(endpoints).toEqual([{ address: '127.0.0.1', port: 4001, weight: 7, zone: 'eu-1a' }]);
    await users(4002, { Address: '' });
    expect((await recorder.list(4001, 4002)).endpoints[1]).toMatchObject({
      address: '127.0.0.1',
      weight: 1,
    });
    await consul.deregister('users-4001');
    await recorder.list(4002);
  });

  it('has the instances that pass their checks, and says when none does', async () => {
    await users(4001, { Check: check });
    await users(4002);
    const recorder = follow(consul);
    await recorder.list(4001, 4002);
    await consul.call('PUT', '/v1/agent/check/fail/check');
    await recorder.list(4002);
    await consul.deregister('users-4002');
    expect((await recorder.list()).note).toBe(
      'no instance of service "users" passes its checks (instances: 1)',
    );
    await consul.call('PUT', '/v1/agent/check/pass/check');
    await recorder.list(4001);
  });

  it('that is unknown is told, and found as soon as it is registered', async () => {
    const recorder = follow(consul);
    expect(await recorder.fault()).toEqual({
      failed: [
        `spec.endpoints.consul.service: Consul at "${consul.address}" knows no service "users": register it, or correct the name`,
      ],
      transient: false,
    });
    await users(4001);
    await recorder.list(4001);
    await consul.deregister('users-4001');
    expect((await recorder.fault()).failed[0]).toContain('knows no service "users"');
  });

  it('is narrowed down by all of the tags', async () => {
    await users(4001, { Tags: ['v2', 'primary'] });
    await users(4002, { Tags: ['v2'] });
    await follow(consul, { tags: ['v2'] }).list(4001, 4002);
    await follow(consul, { tags: ['v2', 'primary'] }).list(4001);
    const recorder = follow(consul, { tags: ['v3', 'primary'] });
    expect(await recorder.fault()).toEqual({
      failed: [
        'spec.endpoints.consul.tags: none of the instances of service "users" (2) has all of these tags: v3, primary',
      ],
      transient: false,
    });
    await users(4003, { Tags: ['primary', 'v3'] });
    await recorder.list(4003);
  });

  it('of a datacenter that is unknown is told', async () => {
    const recorder = follow(consul, { datacenter: 'nowhere' });
    const { failed } = await recorder.fault();
    expect(failed).toEqual([
      `spec.endpoints.consul.datacenter: Consul at "${consul.address}" knows no datacenter "nowhere": name one that "consul catalog datacenters" lists`,
    ]);
    await users(4001);
    await follow(consul, { datacenter: 'dc1' }).list(4001);
  });

  it('leaves out instances that cannot be asked', async () => {
    await users(4001);
    await consul.register({ Name: 'users', ID: 'no-port', Address: '127.0.0.1' });
    const node = { Node: 'elsewhere', Address: 'db.internal' };
    await consul.call('PUT', '/v1/catalog/register', {
      ...node,
      Service: { Service: 'users', ID: 'by-name', Port: 80 },
    });
    const { mistakes } = await follow(consul).list(4001);
    expect(mistakes.map((text) => text.replace(/ on \w+/g, ''))).toEqual([
      'spec.endpoints.consul.service: instances are left out that have no IP address: register them with one, or use spec.endpoints.dns ("by-name")',
      'spec.endpoints.consul.service: instances are left out that have no port from 1 to 65535: register them with theirs ("no-port")',
    ]);
    await consul.deregister('users-4001');
    expect((await follow(consul).fault()).failed).toHaveLength(2);
    await consul.call('PUT', '/v1/catalog/deregister', { Node: 'elsewhere' });
  });

  it('may have thousands of instances', async () => {
    const count = 3000;
    await consul.call('PUT', '/v1/catalog/register', { Node: 'big', Address: '127.0.0.2' });
    const recorder = follow(consul);
    const ports = Array.from({ length: count }, (_, i) => 10_000 + i);
    for (let i = 0; i < count; i += 60) {
      const operations = ports.slice(i, i + 60).map((Port) => ({
        Service: {
          Verb: 'set',
          Node: 'big',
          Service: { ID: `u${Port}`, Service: 'users', Address: '127.0.0.2', Port },
        },
      }));
      await consul.call('PUT', '/v1/txn', operations);
    }
    const { endpoints } = await recorder.list(...ports);
    expect(endpoints.map(({ port }) => port)).toEqual(ports);
    await consul.call('PUT', '/v1/catalog/deregister', { Node: 'big' });
    await recorder.fault();
  });

  it('is found again when the agent was killed and knows nothing of before', async () => {
    for (let port = 4001; port < 4010; port++) await users(port);
    const recorder = follow(consul);
    await recorder.list(4001, 4002, 4003, 4004, 4005, 4006, 4007, 4008, 4009);
    await consul.kill();
    const fault = await recorder.fault();
    expect(fault.transient).toBe(true);
    expect(fault.failed[0]).toMatch(
      /^spec\.endpoints\.consul\.address: Consul at ".*" (closed the connection|refuses connections)/,
    );
    await consul.restart();
    await users(4001);
    await recorder.list(4001);
    await users(4002);
    await recorder.list(4001, 4002);
  });
});

describeConsul('a Consul that asks who is there', () => {
  const root = '5e0f0f5a-5c1c-4a3c-9b0e-000000000001';
  let consul: TestConsul;
  beforeAll(async () => {
    const tokens = `tokens { initial_management = "${root}" agent = "${root}" }`;
    const hcl = `acl { enabled = true default_policy = "deny" ${tokens} }`;
    consul = await startConsul({ hcl, token: root });
    await consul.register({ Name: 'users', Port: 4001, Address: '127.0.0.1' });
  });
  afterAll(() => consul.close());

  async function tokenFor(name: string, rules: string): Promise<string> {
    await consul.call('PUT', '/v1/acl/policy', { Name: name, Rules: rules });
    const body = { Policies: [{ Name: name }] };
    const { SecretID } = (await consul.call('PUT', '/v1/acl/token', body)) as { SecretID: string };
    return SecretID;
  }

  it('tells its instances to those who may know them', async () => {
    const rights = 'service "users" { policy = "read" } node_prefix "" { policy = "read" }';
    const recorder = follow(consul, {}, await tokenFor('readers', rights));
    expect((await recorder.list(4001)).mistakes).toEqual([]);
    await consul.register({ Name: 'users', Port: 4002, Address: '127.0.0.1' });
    await recorder.list(4001, 4002);
    await consul.deregister('users-4002');
  });

  const tokenPath = 'spec.endpoints.consul.tokenSecretRef: Consul at "ADDRESS"';
  it.each<[string, () => Promise<string | undefined>, string]>([
    [
      'nobody',
      async () => undefined,
      'spec.endpoints.consul: Consul at "ADDRESS" denies by default: name a token with "read" for service "users" and for its nodes in tokenSecretRef',
    ],
    [
      'a token that is none',
      async () => '5e0f0f5a-5c1c-4a3c-9b0e-00000000000f',
      `${tokenPath} does not know the token: put a valid one into the Secret`,
    ],
    [
      'a token without rights',
      () => tokenFor('others', 'service "orders" { policy = "read" }'),
      `${tokenPath} hides instances from the token: give it "read" for service "users" and for its nodes`,
    ],
    [
      'a token that may know of services but not of nodes',
      () => tokenFor('half', 'service "users" { policy = "read" }'),
      `${tokenPath} hides instances from the token: give it "read" for service "users" and for its nodes`,
    ],
  ])('denies them to %s', async (_, tokenOf, expected) => {
    const token = await tokenOf();
    const { failed } = await follow(consul, {}, token).fault();
    expect(failed).toEqual([expected.replace('ADDRESS', consul.address)]);
    if (token !== undefined) expect(failed.join()).not.toContain(token);
  });

  it('is asked again now and then, so that a token that is gone is noticed', async () => {
    const rights = 'service "users" { policy = "read" } node_prefix "" { policy = "read" }';
    const token = await tokenFor('leavers', rights);
    const recorder = follow(consul, {}, token, { ...timing, refresh: 300 });
    await recorder.list(4001);
    const tokens = (await consul.call('GET', '/v1/acl/tokens')) as Token[];
    const own = tokens.find(({ Policies }) => Policies?.some(({ Name }) => Name === 'leavers'));
    await consul.call('DELETE', `/v1/acl/token/${own?.AccessorID}`);
    expect((await recorder.fault()).failed[0]).toContain('does not know the token');
  });
});

type Token = { AccessorID: string; Policies?: { Name: string }[] };
