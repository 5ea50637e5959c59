import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStore, type Store } from '../../store/store.ts';
import type { ApiServer } from './api-server.ts';
import { controllerName } from './gateway-classes.ts';
import { type ClusterOptions, type ClusterWatch, watchCluster } from './provider.ts';
import { type Fault, ScriptedApiServer } from './testing/scripted-api-server.ts';

const own = (plural: string) => `apis/gatehouse.dev/v1alpha1/${plural}`;
const gatewayApi = (plural: string) => `apis/gateway.networking.k8s.io/v1/${plural}`;
const grants = 'apis/gateway.networking.k8s.io/v1beta1/referencegrants';
const slices = 'apis/discovery.k8s.io/v1/endpointslices';
const secrets = 'api/v1/secrets';
const everything = [
  own('routes'),
  own('upstreams'),
  own('authpolicies'),
  own('ratelimitpolicies'),
  own('consumers'),
  gatewayApi('gateways'),
  gatewayApi('gatewayclasses'),
  'api/v1/services',
  slices,
  'api/v1/namespaces',
  grants,
  secrets,
];

let server: ScriptedApiServer;
let api: ApiServer;
let store: Store;
const opened: { close(): Promise<void> }[] = [];
const lines: string[] = [];
beforeEach(async () => {
  lines.length = 0;
  store = createStore();
  server = new ScriptedApiServer(...everything);
  api = await server.listen();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  api.close();
  await server.close();
});

function start(options: Partial<ClusterOptions> = {}): ClusterWatch {
  const log = (line: string) => void lines.push(line);
  const watch = watchCluster({
    api,
    store,
    namespaces: [],
    log: { info: log, warn: log } as ClusterOptions['log'],
    onSeen: () => undefined,
    timing: { retry: { first: 1, most: 8 }, absent: 5, sound: 1000 },
    ...options,
  });
  opened.push(watch);
  return watch;
}

const route = (name: string, rules: object[] = [{ name: 'r', respond: { status: 200 } }]) => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Route',
  metadata: { name, namespace: 'shop', managedFields: [{}], generation: 1 },
  spec: { rules },
});
const gateway = (name: string, gatewayClassName: string, secretName?: string) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name, namespace: 'shop' },
  spec: {
    gatewayClassName,
    listeners: [
      secretName === undefined
        ? { name: 'http', port: 80, protocol: 'HTTP' }
        : {
            name: 'https',
            port: 443,
            protocol: 'HTTPS',
            tls: { certificateRefs: [{ name: secretName }] },
          },
    ],
  },
});
const gatewayClass = (name: string, controller: string = controllerName) => ({
  metadata: { name },
  spec: { controllerName: controller },
});
const names = (kind: 'Route' | 'Gateway' | 'Service' | 'EndpointSlice' | 'Secret') =>
  store
    .list(kind)
    .map(({ metadata }) => metadata.name)
    .sort();

describe('what is in the cluster', () => {
  it('is in the store when it is ready, reduced to what is read', async () => {
    server.put(own('routes'), route('a'));
    server.put('api/v1/services', {
      metadata: { name: 's', namespace: 'shop', annotations: { note: 'x' } },
      spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, targetPort: 8080, nodePort: 30000 }] },
      status: { loadBalancer: {} },
    });
    server.put(slices, {
      metadata: { name: 's-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 's' } },
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.1.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod' } },
      ],
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    });
    const watch = start();
    await watch.ready;
    expect(store.get('Route/shop/a')).toEqual({
      apiVersion: 'gatehouse.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'a', namespace: 'shop', generation: 1 },
      spec: { rules: [{ name: 'r', respond: { status: 200 } }] },
    });
    expect(store.get('Service/shop/s')).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', namespace: 'shop', generation: 1, annotations: { note: 'x' } },
      spec: { ports: [{ port: 80 }] },
    });
    expect(store.list('EndpointSlice')[0]?.endpoints).toEqual([
      { addresses: ['10.1.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod' } },
    ]);
    expect(lines).toEqual([]);
  });

  it('changes the store only when content changes, and tells how far it was followed', async () => {
    server.put(own('routes'), route('a'));
    const watch = start();
    await watch.ready;
    const before = watch.seen.get('Route/shop/a');
    const object = store.get('Route/shop/a');
    const version = () => watch.progress()['Route/'] ?? 0;
    const followed = version();
    server.put(own('routes'), { ...route('a'), status: { conditions: [] } });
    await vi.waitFor(() => expect(version()).toBeGreaterThan(followed));
    expect(store.get('Route/shop/a')).toBe(object);
    expect(watch.seen.get('Route/shop/a')).toEqual({
      ...before,
      latest: version(),
      status: { conditions: [] },
    });
    server.put(own('routes'), route('a', [{ name: 'other', respond: { status: 200 } }]));
    await vi.waitFor(() => expect(store.get('Route/shop/a')).not.toBe(object));
    expect(watch.seen.get('Route/shop/a')?.version).toBe(version());
  });

  it('is read of some namespaces only when told so', async () => {
    for (const namespace of ['a', 'b', 'c']) {
      server.put(own('routes'), { ...route(namespace), metadata: { name: namespace, namespace } });
    }
    const watch = start({ namespaces: ['a', 'c'] });
    await watch.ready;
    expect(names('Route')).toEqual(['a', 'c']);
    expect(Object.keys(watch.progress())).toContain('Route/a');
    expect(server.seen.some(({ path }) => path === `/${own('routes')}`)).toBe(false);
  });
});

describe('Gateways', () => {
  it('are ours when their class is, whatever comes first', async () => {
    server.put(gatewayApi('gateways'), gateway('a', 'ours'));
    server.put(gatewayApi('gateways'), gateway('b', 'theirs'));
    server.put(gatewayApi('gateways'), { ...gateway('odd', 'theirs'), spec: { listeners: 7 } });
    server.put(gatewayApi('gatewayclasses'), gatewayClass('theirs', 'example.com/other'));
    const watch = start();
    await watch.ready;
    expect(names('Gateway')).toEqual([]);
    server.put(gatewayApi('gatewayclasses'), gatewayClass('ours'));
    await vi.waitFor(() => expect(names('Gateway')).toEqual(['a']));
    server.put(gatewayApi('gateways'), gateway('b', 'ours'));
    await vi.waitFor(() => expect(names('Gateway')).toEqual(['a', 'b']));
    expect([...watch.seen.keys()]).toEqual(['Gateway/shop/a', 'Gateway/shop/b']);
    server.put(gatewayApi('gatewayclasses'), gatewayClass('ours', 'example.com/other'));
    await vi.waitFor(() => expect(names('Gateway')).toEqual([]));
    expect(watch.seen.size).toBe(0);
    expect(lines).toEqual([]);
  });
});

describe('an object that is not sound', () => {
  const bad = (generation: number) => ({
    ...route('a', [{ name: 'r', respond: { status: 7 } }]),
    metadata: { name: 'a', namespace: 'shop', generation },
  });

  it('keeps its last good version until it is deleted, and says so once', async () => {
    server.put(own('routes'), route('a'));
    const watch = start();
    await watch.ready;
    const good = store.get('Route/shop/a');
    server.put(own('routes'), bad(2));
    const seen = () => watch.seen.get('Route/shop/a');
    await vi.waitFor(() => expect(seen()?.generation).toBe(2));
    expect(seen()?.problems[0]?.path).toEqual(['spec', 'rules', 0, 'respond', 'status']);
    expect(store.get('Route/shop/a')).toBe(good);
    server.put(own('routes'), { ...bad(2), status: {} });
    await vi.waitFor(() => expect(seen()?.status).toEqual({}));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('Route "shop/a": spec.rules[0].respond.status: ');
    expect(lines[0]).toContain('its last good version stays in use');
    server.remove(own('routes'), 'a', 'shop');
    await vi.waitFor(() => expect(store.get('Route/shop/a')).toBeUndefined());
    expect(seen()).toBeUndefined();
  });

  it('is left out when it never was sound', async () => {
    server.put(own('routes'), bad(1));
    server.put(own('routes'), route('b'));
    const watch = start();
    await watch.ready;
    expect(names('Route')).toEqual(['b']);
    expect(watch.seen.get('Route/shop/a')?.problems).toHaveLength(1);
  });

  it('is used without the fields of a newer release, which are named', async () => {
    server.put(
      own('routes'),
      route('a', [{ name: 'r', respond: { status: 200 }, telepathy: { distance: 3 } }]),
    );
    await start().ready;
    expect(names('Route')).toEqual(['a']);
    expect(lines).toEqual([
      'Route "shop/a": spec.rules[0].telepathy: is not known to this release and has no effect',
    ]);
  });
});

describe('a collection that cannot be read', () => {
  const isReady = (watch: ClusterWatch) =>
    Promise.race([watch.ready.then(() => true), new Promise((resolve) => setImmediate(resolve))]);

  it('is served without when its CRD is missing, and with it as soon as it is there', async () => {
    server = new ScriptedApiServer(...everything.filter((one) => one !== own('upstreams')));
    api = await server.listen();
    server.put(own('routes'), route('a'));
    const watch = start({ api });
    await watch.ready;
    expect(names('Route')).toEqual(['a']);
    expect(lines).toEqual([expect.stringContaining('Cannot list upstreams.gatehouse.dev')]);
    expect(lines[0]).toContain('install its CRD');
    server.install(own('upstreams'));
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    expect(lines[1]).toBe('upstreams.gatehouse.dev can be read');
  });

  it('is not ready while what snapshots are made of is served in another version only', async () => {
    server = new ScriptedApiServer(...everything.filter((one) => one !== own('routes')));
    api = await server.listen();
    const group = '/apis/gatehouse.dev';
    server.documents.set(group, { versions: [{ version: 'v1alpha1' }, { version: 'v1' }] });
    server.documents.set(`${group}/v1alpha1`, { resources: [{ name: 'upstreams' }] });
    server.documents.set(`${group}/v1`, { resources: [{ name: 'routes' }] });
    const watch = start({ api });
    await vi.waitFor(() => expect(watch.waiting()).toEqual([`/${own('routes')}`]));
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(await isReady(watch)).toBe(undefined);
    expect(lines[0]).toBe(
      'Cannot list routes.gatehouse.dev: the cluster does not serve gatehouse.dev/v1alpha1 Route, only v1; ' +
        'install the CRD of this release. ' +
        'What was read before stays in use; a controller that never could read it is not ready',
    );
    server.install(own('routes'));
    await watch.ready;
  });

  it.each([
    [own('routes'), 'routes', 'gatehouse.dev'],
    ['api/v1/namespaces', 'namespaces', ''],
    [grants, 'referencegrants', 'gateway.networking.k8s.io'],
  ])('is not ready while it may not read %s', async (collection, plural, group) => {
    let fault: Fault | undefined = { status: 403 };
    server.fault = ({ path }) => (path === `/${collection}` ? fault : undefined);
    const watch = start();
    await vi.waitFor(() => expect(watch.waiting()).toEqual([`/${collection}`]));
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(await isReady(watch)).toBe(undefined);
    expect(lines[0]).toContain(
      `grant the verb "list" on the resource "${plural}" of the API group "${group}"`,
    );
    fault = undefined;
    await watch.ready;
  });

  it('goes on without a Secret that it may not read', async () => {
    server.fault = ({ path }) => (path.endsWith('/secrets') ? { status: 403 } : undefined);
    server.put(gatewayApi('gatewayclasses'), gatewayClass('ours'));
    server.put(gatewayApi('gateways'), gateway('a', 'ours', 'web'));
    await start().ready;
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('Cannot list secrets "shop/web": forbidden');
  });
});
