import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiServer } from '../../providers/kubernetes/index.ts';
import { storedResources } from '../../providers/kubernetes/index.ts';
import { ScriptedApiServer } from '../../providers/kubernetes/testing/scripted-api-server.ts';
import type { Target } from './targets.ts';
import type { Urgency } from './wanted.ts';
import { createWriter, type Writer } from './writer.ts';

const routes = 'apis/gatehouse.dev/v1alpha1/routes';
const gateways = 'apis/gateway.networking.k8s.io/v1/gateways';
const delays = { now: 0, soon: 60, patient: 400 };
let server: ScriptedApiServer;
let api: ApiServer;
let writer: Writer;
let leads: boolean;
let lines: string[];
/** What statuses should be. */
let wanted: Map<string, { text: string; urgency: Urgency }>;
/** Whether the watch sees what is written. */
let sees: boolean;
const stale = new Map<string, Target>();

beforeEach(async () => {
  server = new ScriptedApiServer(routes, gateways);
  api = await server.listen();
  [leads, lines, wanted, sees] = [true, [], new Map(), true];
  stale.clear();
  writer = createWriter({
    api,
    leads: () => leads,
    targets: () => [...wanted].map(([name, want]) => targetOf(name, want)),
    log: { warn: (line: string) => lines.push(line) } as never,
    delays,
    gatewayGap: 100,
  });
});
afterEach(async () => {
  await writer.close();
  api.close();
  await server.close();
});

function targetOf(name: string, want: { text: string; urgency: Urgency }): Target {
  const kind = name.startsWith('gateway') ? 'Gateway' : 'Route';
  const collection = kind === 'Gateway' ? gateways : routes;
  const object = server.get(collection, name, 'shop');
  const target: Target = {
    key: `${kind}/shop/${name}`,
    resource: storedResources.find((one) => one.kind === kind)!,
    namespace: 'shop',
    name,
    uid: object?.metadata.uid ?? 'gone',
    version: Number(object?.metadata.resourceVersion),
    present: object?.status,
    wanted: (present) => ({
      status: { text: want.text },
      same: (present as { text?: string } | undefined)?.text === want.text,
      urgency: want.urgency,
    }),
  };
  if (sees || !stale.has(name)) stale.set(name, target);
  return { ...target, ...(sees ? {} : { version: 0, present: stale.get(name)?.present }) };
}
function want(name: string, text: string, urgency: Urgency = 'now'): void {
  wanted.set(name, { text, urgency });
  const collection = name.startsWith('gateway') ? gateways : routes;
  if (!server.get(collection, name, 'shop')) {
    server.put(collection, { metadata: { name, namespace: 'shop' }, spec: {} });
  }
  writer.look();
}
const statusOf = (name: string, collection = routes) =>
  (server.get(collection, name, 'shop')?.status as { text?: string } | undefined)?.text;
const writes = () => server.seen.filter(({ method }) => method === 'PATCH');

describe('a status', () => {
  it('is applied to its subresource, once', async () => {
    want('a', 'one');
    await vi.waitFor(() => expect(statusOf('a')).toBe('one'));
    const [write] = writes();
    expect(write?.path).toBe(`/${routes.replace('/routes', '')}/namespaces/shop/routes/a/status`);
    expect(Object.fromEntries(write?.query ?? [])).toEqual({
      fieldManager: 'gatehouse',
      force: 'true',
      fieldValidation: 'Ignore',
    });
    expect(write?.body).toEqual({
      apiVersion: 'gatehouse.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'a', namespace: 'shop', uid: expect.stringContaining('uid-') },
      status: { text: 'one' },
    });
    writer.look();
    await writer.close();
    expect(writes()).toHaveLength(1);
  });

  it('is not written again before the watch has seen it', async () => {
    sees = false;
    want('a', 'one');
    await vi.waitFor(() => expect(statusOf('a')).toBe('one'));
    for (let i = 0; i < 5; i++) writer.look();
    await vi.waitFor(() => expect(writer.count()).toBe(1));
    want('a', 'two');
    await vi.waitFor(() => expect(statusOf('a')).toBe('two'));
    expect(writes()).toHaveLength(2);
  });

  it('that passes soon is never written', async () => {
    want('a', 'waiting', 'soon');
    want('a', 'done');
    await vi.waitFor(() => expect(statusOf('a')).toBe('done'));
    expect(writes()).toHaveLength(1);
  });

  it('that lasts is written after its time, whoever looks', async () => {
    const from = performance.now();
    want('a', 'waiting', 'soon');
    await vi.waitFor(() => expect(statusOf('a')).toBe('waiting'));
    expect(performance.now() - from).toBeGreaterThan(delays.soon - 2);
    want('a', 'still waiting', 'patient');
    await vi.waitFor(() => expect(statusOf('a')).toBe('still waiting'));
    expect(performance.now() - from).toBeGreaterThan(delays.patient - 2);
  });

  it('of a Gateway is not written at each change', async () => {
    for (let i = 0; i < 20; i++) {
      want('gateway', `${i} Routes`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await vi.waitFor(() => expect(statusOf('gateway', gateways)).toBe('19 Routes'));
    expect(writes().length).toBeLessThan(8);
  });

  it('of many is written by a few at a time', async () => {
    let most = 0;
    let open = 0;
    const { request } = api;
    api.request = async (options) => {
      most = Math.max(most, ++open);
      return await request(options).finally(() => open--);
    };
    for (let i = 0; i < 40; i++) want(`r-${i}`, 'done');
    await vi.waitFor(() => expect(writes()).toHaveLength(40));
    expect(most).toBe(16);
  });
});

describe('a replica that does not lead', () => {
  it('writes nothing', async () => {
    leads = false;
    want('a', 'one');
    want('b', 'one', 'soon');
    await new Promise((resolve) => setTimeout(resolve, delays.soon * 2));
    expect(writes()).toEqual([]);
    leads = true;
    writer.look();
    await vi.waitFor(() => expect(statusOf('a')).toBe('one'));
  });

  it('does not write what waited when it stopped', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const { request } = api;
    api.request = async (options) => {
      await held;
      return await request(options);
    };
    for (let i = 0; i < 40; i++) want(`r-${i}`, 'done');
    leads = false;
    release();
    await writer.close();
    expect(writes().length).toBeLessThanOrEqual(16);
  });
});

describe('a write that fails', () => {
  it.each([[429], [500], [503]])('with %d is done later', async (status) => {
    let failures = 2;
    server.fault = () => (failures-- > 0 ? { status, retryAfter: 0 } : undefined);
    want('a', 'one');
    await vi.waitFor(() => expect(statusOf('a')).toBe('one'), 5000);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('they are written later');
  });

  it('for missing rights says which', async () => {
    server.fault = () => ({ status: 403, message: 'no' });
    want('a', 'one');
    want('b', 'one');
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(lines[0]).toContain(
      'grant the verb "patch" on the resource "routes/status" of the API group "gatehouse.dev"',
    );
    await vi.waitFor(() => expect(writes()).toHaveLength(2));
    writer.look();
    await writer.close();
    expect(writes()).toHaveLength(2);
  });

  it('since the API server does not take it names the object, and stops no other', async () => {
    server.fault = ({ path }) =>
      path.includes('/a/') ? { status: 422, message: 'status.text: too long' } : undefined;
    want('a', 'one');
    want('b', 'one');
    await vi.waitFor(() => expect(statusOf('b')).toBe('one'));
    expect(lines).toEqual(['Cannot write the status of Route "shop/a": status.text: too long']);
  });

  it('since the object leaves no room for it names the object, and stops no other', async () => {
    const message = 'etcdserver: request is too large';
    server.fault = ({ path }) => (path.includes('/a/') ? { status: 500, message } : undefined);
    want('a', 'one');
    for (let i = 0; i < 20; i++) want(`r-${i}`, 'one');
    await vi.waitFor(() => expect(statusOf('r-19')).toBe('one'));
    expect(lines).toEqual([
      `Cannot write the status of Route "shop/a": ${message}; it is served, but leaves no room for its status: make it smaller`,
    ]);
    writer.look();
    await writer.close();
    expect(writes().filter(({ path }) => path.includes('/a/'))).toHaveLength(1);
  });

  it('does not reach another object of the same name', async () => {
    sees = false;
    want('a', 'one');
    await vi.waitFor(() => expect(statusOf('a')).toBe('one'));
    server.remove(routes, 'a', 'shop');
    const other = server.put(routes, { metadata: { name: 'a', namespace: 'shop', uid: 'other' } });
    const target = targetOf('a', { text: 'two', urgency: 'now' });
    expect(other.metadata.uid).not.toBe(target.uid === 'other' ? '' : target.uid);
    const late = createWriter({
      api,
      leads: () => true,
      targets: () => [{ ...target, uid: 'old' }],
      log: { warn: (line: string) => lines.push(line) } as never,
    });
    late.look();
    await vi.waitFor(() => expect(writes()).toHaveLength(2));
    await late.close();
    expect(statusOf('a')).toBeUndefined();
    expect(lines).toEqual([]);
  });
});
