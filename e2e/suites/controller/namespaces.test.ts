import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { figure, secondsSince } from '../../src/figures.ts';
import { installGatewayApi } from '../../src/gateway-api.ts';
import { type Kubectl, kubectlOf } from '../../src/kubectl.ts';
import { connect, type DataPlane, type Replica, startReplica } from './replica.ts';

const system = 'gatehouse-system';
const crds = join(import.meta.dirname, '../../../charts/gatehouse/crds');
const teams = ['infra', 'shop', 'people'];

let controlPlane: ControlPlane;
let all: Kubectl;
let folder: string;
let replica: Replica;
let plane: DataPlane;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'namespaces-'));
  controlPlane = await startControlPlane();
  all = kubectlOf(controlPlane);
  await all('apply', '--server-side', '--filename', crds);
  await installGatewayApi(all);
  await all('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
  await all('create', 'namespace', system);
  for (const team of teams) await all('create', 'namespace', team);
  await all('--namespace', system, 'create', 'serviceaccount', 'data-plane');
  const token = await all(
    '--namespace',
    system,
    'create',
    'token',
    'data-plane',
    '--audience=gatehouse',
  );
  await all.apply({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'gatehouse' },
    spec: { controllerName: 'gatehouse.dev/gateway-controller' },
  });
  replica = await startReplica('c-1', { kubeconfig: controlPlane.kubeconfig, folder });
  plane = connect(replica, 'gw-1', token.trim());
});

afterEach(async () => {
  for (const kind of ['routes', 'gateways', 'referencegrants']) {
    await all('delete', kind, '--all', '--all-namespaces');
  }
});

afterAll(async () => {
  plane?.close();
  await replica?.stop();
  await controlPlane?.stop();
  await rm(folder, { recursive: true, force: true });
});

const gateway = (name: string, port: number, namespaces: object = { from: 'All' }) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name, namespace: 'infra' },
  spec: {
    gatewayClassName: 'gatehouse',
    listeners: [{ name: 'http', port, protocol: 'HTTP', allowedRoutes: { namespaces } }],
  },
});
const route = (namespace: string, name: string, spec: object) => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Route',
  metadata: { name, namespace },
  spec: { parentRefs: [{ name: 'gw', namespace: 'infra' }], ...spec },
});
const users = { name: 'users', namespace: 'people', port: 80 };
const toPeople = route('shop', 'web', { rules: [{ name: 'all', backends: [users] }] });
const grant = {
  apiVersion: 'gateway.networking.k8s.io/v1beta1',
  kind: 'ReferenceGrant',
  metadata: { name: 'shop', namespace: 'people' },
  spec: {
    from: [{ group: 'gatehouse.dev', kind: 'Route', namespace: 'shop' }],
    to: [{ group: '', kind: 'Service' }],
  },
};
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'users', namespace: 'people' },
  spec: { ports: [{ port: 80 }] },
};

type Condition = {
  type: string;
  status: string;
  reason: string;
  message: string;
};
type Reported = {
  status?: { conditions?: Condition[]; listeners?: { conditions: Condition[] }[] };
};

const conditionOf = (conditions: Condition[] = [], type: string) =>
  conditions.find((one) => one.type === type);

/** Waits until a condition of a Route of namespace shop has this reason, and returns its message. */
const becomes = (type: string, reason: string, name = 'web') =>
  waitFor(`${type} of Route ${name} to be ${reason}`, async () => {
    const { status } = await all.get<Reported>('--namespace', 'shop', 'route', name);
    const condition = conditionOf(status?.conditions, type);
    return condition?.reason === reason ? condition.message || 'nothing to say' : undefined;
  });

describe('what leaves its namespace', () => {
  it('is followed as long as a grant allows it, and until its namespace is deleted', async () => {
    await all.apply([gateway('gw', 80), service, toPeople]);
    expect(await becomes('ResolvedRefs', 'RefNotPermitted')).toBe(
      'spec.rules[0].backends[0]: Service "people/users" is in another namespace, which no ' +
        'ReferenceGrant allows: create one in namespace "people" from Route (group ' +
        '"gatehouse.dev") in namespace "shop" to Service "users"',
    );
    await all.apply(grant);
    await becomes('ResolvedRefs', 'ResolvedRefs');
    await becomes('Programmed', 'Programmed');
    await all('--namespace', 'people', 'delete', 'referencegrant', 'shop');
    await becomes('ResolvedRefs', 'RefNotPermitted');

    await all.apply(grant);
    await becomes('ResolvedRefs', 'ResolvedRefs');
    await all('delete', 'namespace', 'people');
    await becomes('ResolvedRefs', 'RefNotPermitted');
    await all('create', 'namespace', 'people');
  });
});

describe('a listener with a selector', () => {
  it('takes and leaves Routes as their namespace is labelled', async () => {
    const selector = { matchExpressions: [{ key: 'exposed', operator: 'In', values: ['yes'] }] };
    await all.apply([
      gateway('gw', 80, { from: 'Selector', selector }),
      route('shop', 'web', { rules: [{ name: 'all', respond: { status: 200 } }] }),
    ]);
    expect(await becomes('Accepted', 'NotAllowedByListeners')).toContain(
      'its labels do not fit allowedRoutes.namespaces.selector of listener "http"',
    );
    const begin = performance.now();
    await all('label', 'namespace', 'shop', 'exposed=yes');
    await becomes('Programmed', 'Programmed');
    figure({
      name: 'from the label of a namespace to Programmed',
      value: secondsSince(begin),
      unit: 's',
      most: 5,
    });
    await all('label', 'namespace', 'shop', 'exposed=no', '--overwrite');
    await becomes('Accepted', 'NotAllowedByListeners');
  });
});

describe('two Gateways that claim one listener', () => {
  const conflict = (name: string) =>
    waitFor(`the listener of ${name} to have a status`, async () => {
      const { status } = await all.get<Reported>('--namespace', 'infra', 'gateway', name);
      return conditionOf(status?.listeners?.[0]?.conditions, 'Conflicted');
    });

  it('the older one is served, and the other one names it', async () => {
    await all.apply(gateway('z-old', 80));
    expect(await conflict('z-old')).toMatchObject({ status: 'False' });
    // Ages are whole seconds.
    await waitFor('the next second', async () => {
      const text = '{.metadata.creationTimestamp}';
      const made = await all(
        '--namespace',
        'infra',
        'get',
        'gateway',
        'z-old',
        `-o=jsonpath=${text}`,
      );
      return Date.now() - Date.parse(made) > 1000;
    });
    await all.apply(gateway('a-young', 80));
    expect(await conflict('a-young')).toMatchObject({
      status: 'True',
      reason: 'HostnameConflict',
      message: expect.stringContaining('listener "http" of Gateway "infra/z-old", which is older,'),
    });
    expect(await conflict('z-old')).toMatchObject({ status: 'False' });
    await all('--namespace', 'infra', 'delete', 'gateway', 'z-old');
    await waitFor('the young one to be served', async () =>
      (await conflict('a-young')).status === 'False' ? true : undefined,
    );
  });
});

describe('a Route with 1,000 rules', () => {
  const large = (name: string, bytes: number) =>
    route('shop', name, {
      rules: Array.from({ length: 1000 }, (_, number) => ({
        name: `rule-${number}`,
        matches: [{ path: { type: 'Prefix', value: `/api/${number}` } }],
        respond: { status: 200, body: 'x'.repeat(bytes) },
      })),
    });

  /** kubectl would keep a copy in an annotation otherwise, which may not be so large. */
  const applyLarge = async (name: string, bytes: number) =>
    expect(await all.attemptApply(large(name, bytes), '--server-side')).toMatchObject({ code: 0 });

  it('near the size that etcd takes is programmed, and its status says so', async () => {
    await all.apply(gateway('gw', 80));
    const begin = performance.now();
    // 1.55 MB with what the API server adds, of 1.57.
    await applyLarge('large', 1300);
    await becomes('Programmed', 'Programmed', 'large');
    figure({
      name: 'a Route of 1.55 MB with 1,000 rules, from kubectl apply to Programmed',
      value: secondsSince(begin),
      unit: 's',
      most: 10,
    });
  });

  it('that leaves no room for its status is named in the log and holds up no other', async () => {
    await all.apply(gateway('gw', 80));
    const sentence =
      'Cannot write the status of Route \\"shop/full\\": etcdserver: request is too large';
    const told = () => replica.log.some((line) => line.includes(sentence));
    // How much the API server adds is its own affair: ever larger ones, until a status does not fit.
    for (let bytes = 1314; !told(); bytes++) {
      await all('--namespace', 'shop', 'delete', 'route', 'full', '--ignore-not-found');
      await applyLarge('full', bytes);
      await waitFor('its status, or why there is none', async () => {
        const { status } = await all.get<Reported>('--namespace', 'shop', 'route', 'full');
        return told() || status?.conditions !== undefined;
      });
    }
    await all.apply(route('shop', 'small', { rules: [{ name: 'all', respond: { status: 200 } }] }));
    await becomes('Programmed', 'Programmed', 'small');
  });
});
