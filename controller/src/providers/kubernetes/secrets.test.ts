import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makePems } from '../../compile/golden-pems.ts';
import { createStore, type Store } from '../../store/store.ts';
import type { ApiServer } from './api-server.ts';
import { controllerName } from './gateway-classes.ts';
import { type ClusterOptions, type ClusterWatch, watchCluster } from './provider.ts';
import { ScriptedApiServer } from './testing/scripted-api-server.ts';

const pems = await makePems();
const secrets = 'api/v1/secrets';
const gateways = 'apis/gateway.networking.k8s.io/v1/gateways';
const classes = 'apis/gateway.networking.k8s.io/v1/gatewayclasses';
const grants = 'apis/gateway.networking.k8s.io/v1beta1/referencegrants';

let server: ScriptedApiServer;
let api: ApiServer;
let store: Store;
let watch: ClusterWatch;
beforeEach(async () => {
  store = createStore();
  server = new ScriptedApiServer(
    'apis/gatehouse.dev/v1alpha1/routes',
    'apis/gatehouse.dev/v1alpha1/upstreams',
    'api/v1/services',
    'apis/discovery.k8s.io/v1/endpointslices',
    'api/v1/namespaces',
    gateways,
    classes,
    grants,
    secrets,
  );
  api = await server.listen();
  server.put(classes, { metadata: { name: 'ours' }, spec: { controllerName } });
});
afterEach(async () => {
  await watch.close();
  api.close();
  await server.close();
});

async function start(): Promise<void> {
  const log = () => undefined;
  watch = watchCluster({
    api,
    store,
    namespaces: [],
    log: { info: log, warn: log } as unknown as ClusterOptions['log'],
    onSeen: () => undefined,
    timing: { retry: { first: 1, most: 8 }, absent: 5, sound: 1000 },
  });
  await watch.ready;
}

const encoded = (text = '') => Buffer.from(text).toString('base64');
const pair = (letter: 'a' | 'b') => ({
  'tls.crt': encoded(pems[`${letter}.crt`]),
  'tls.key': encoded(pems[`${letter}.key`]),
});
const putSecret = (name: string, data: object = pair('a'), fields: object = {}) =>
  server.put(secrets, {
    metadata: { name, namespace: 'shop' },
    type: 'kubernetes.io/tls',
    data,
    ...fields,
  });
const putGateway = (namespace: string, ...certificateRefs: object[]) =>
  server.put(gateways, {
    metadata: { name: 'gw', namespace },
    spec: {
      gatewayClassName: 'ours',
      listeners: [{ name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs } }],
    },
  });
const putGrant = (...to: object[]) =>
  server.put(grants, {
    metadata: { name: 'certificates', namespace: 'shop' },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra' }],
      to,
    },
  });
const names = () =>
  store
    .list('Secret')
    .map(({ metadata }) => metadata.name)
    .sort();
const held = (name = 'web') => {
  const secret = store.get(`Secret/shop/${name}`);
  return secret?.kind === 'Secret' ? secret.data : undefined;
};
const trouble = (name = 'web') => watch.secretTroubles().get(`shop/${name}`);
const asked = () =>
  new Set(
    server.seen
      .filter(({ path }) => path.endsWith('/secrets'))
      .map(({ path, query }) => `${path} ${query.get('fieldSelector')}`),
  );

describe('Secrets', () => {
  it('are read by name as long as a Gateway refers to them', async () => {
    putSecret('web');
    putSecret('unused');
    putGateway('shop', { name: 'web' });
    await start();
    expect(names()).toEqual(['web']);
    putGateway('shop', { name: 'later' });
    await vi.waitFor(() => expect(names()).toEqual([]));
    putSecret('later');
    await vi.waitFor(() => expect(names()).toEqual(['later']));
    const path = '/api/v1/namespaces/shop/secrets metadata.name=';
    expect(asked()).toEqual(new Set([`${path}web`, `${path}later`]));
  });

  it('with the token of a Consul are read as long as an Upstream names them', async () => {
    const opaque = { token: encoded('hidden') };
    putSecret('consul', opaque, { type: 'Opaque' });
    const upstreams = 'apis/gatehouse.dev/v1alpha1/upstreams';
    const put = (tokenSecretRef?: object) =>
      server.put(upstreams, {
        metadata: { name: 'users', namespace: 'shop' },
        spec: {
          endpoints: {
            consul: {
              address: 'http://127.0.0.1:1',
              service: 'users',
              ...(tokenSecretRef && { tokenSecretRef }),
            },
          },
        },
      });
    put({ name: 'consul' });
    await start();
    expect(held('consul')).toEqual(opaque);
    put();
    await vi.waitFor(() => expect(names()).toEqual([]));
  });

  it('of another namespace are read as far as it grants them, and no longer', async () => {
    putSecret('web');
    putSecret('other');
    putGateway('infra', { name: 'web', namespace: 'shop' }, { name: 'other', namespace: 'shop' });
    await start();
    expect(asked()).toEqual(new Set());
    putGrant({ group: '', kind: 'Secret', name: 'web' });
    await vi.waitFor(() => expect(names()).toEqual(['web']));
    putGrant({ group: '', kind: 'Secret' });
    await vi.waitFor(() => expect(names()).toEqual(['other', 'web']));
    putGrant({ group: '', kind: 'Secret', name: 'other' });
    await vi.waitFor(() => expect(names()).toEqual(['other']));
    server.remove(grants, 'certificates', 'shop');
    await vi.waitFor(() => expect(names()).toEqual([]));
  });

  it('by which an Upstream connects are read, of another namespace as far as it grants them', async () => {
    putSecret('authorities');
    putSecret('client');
    server.put('apis/gatehouse.dev/v1alpha1/upstreams', {
      metadata: { name: 'up', namespace: 'web' },
      spec: {
        endpoints: { static: [{ address: '10.0.0.1', port: 443 }] },
        tls: {
          serverName: 'a.internal',
          caSecretRef: { name: 'authorities', namespace: 'shop' },
          clientCertificateSecretRef: { name: 'client', namespace: 'shop' },
        },
      },
    });
    await start();
    expect(asked()).toEqual(new Set());
    const from = [{ group: 'gatehouse.dev', kind: 'Upstream', namespace: 'web' }];
    const to = [{ group: '', kind: 'Secret', name: 'authorities' }];
    const metadata = { name: 'upstreams', namespace: 'shop' };
    server.put(grants, { metadata, spec: { from, to } });
    await vi.waitFor(() => expect(names()).toEqual(['authorities']));
    server.put(grants, { metadata, spec: { from, to: [{ group: '', kind: 'Secret' }] } });
    await vi.waitFor(() => expect(names()).toEqual(['authorities', 'client']));
    server.remove(grants, 'upstreams', 'shop');
    await vi.waitFor(() => expect(names()).toEqual([]));
  });

  it.each<[string, () => void, RegExp]>([
    ['deleted', () => server.remove(secrets, 'web', 'shop'), /was deleted: create it again/],
    ['without a key', () => putSecret('web', { 'tls.crt': 'eA==' }), /has no tls.key/],
    [
      'of another type',
      () => putSecret('web', pair('b'), { type: 'Opaque' }),
      /is of type "Opaque"/,
    ],
    [
      'with a key of another certificate',
      () => putSecret('web', { ...pair('a'), 'tls.key': pair('b')['tls.key'] }),
      /does not fit its tls.crt/,
    ],
  ])('in use that are %s stay as they were, and status says so', async (_, change, why) => {
    putSecret('web');
    putGateway('shop', { name: 'web' });
    await start();
    change();
    await vi.waitFor(() => expect(trouble()).toMatch(why));
    expect(trouble()).toMatch(/^Secret "shop\/web" .*; its last good content stays in use$/);
    expect(held()).toEqual(pair('a'));
    putSecret('web', pair('b'));
    await vi.waitFor(() => expect(held()).toEqual(pair('b')));
    expect(trouble()).toBeUndefined();
    server.remove(secrets, 'web', 'shop');
    await vi.waitFor(() => expect(trouble()).toMatch(/was deleted/));
    putGateway('shop', { name: 'later' });
    await vi.waitFor(() => expect(names()).toEqual([]));
    expect(trouble()).toBeUndefined();
  });

  it('that never could be served are what they are', async () => {
    putSecret('web', { 'tls.crt': 'eA==' });
    putGateway('shop', { name: 'web' });
    await start();
    expect(held()).toEqual({ 'tls.crt': 'eA==' });
    putSecret('web', { 'tls.key': 'eA==' });
    await vi.waitFor(() => expect(held()).toEqual({ 'tls.key': 'eA==' }));
    expect(trouble()).toBeUndefined();
    server.remove(secrets, 'web', 'shop');
    await vi.waitFor(() => expect(names()).toEqual([]));
    expect(trouble()).toBeUndefined();
  });
});
