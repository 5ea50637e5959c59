import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apiServerOf, loadKubeConfig } from '../../../controller/src/providers/kubernetes/index.ts';
import { createCertificates } from '../../../controller/src/push/certificate.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { figure, secondsSince } from '../../src/figures.ts';
import { installGatewayApi } from '../../src/gateway-api.ts';
import { type Kubectl, kubectlOf } from '../../src/kubectl.ts';
import { connect, type DataPlane, type Replica, startReplica } from './replica.ts';

const namespace = 'gatehouse-system';
const routesPath = `/apis/gatehouse.dev/v1alpha1/namespaces/${namespace}/routes`;
const crds = join(import.meta.dirname, '../../../charts/gatehouse/crds');

let controlPlane: ControlPlane;
let kubectl: Kubectl;
let folder: string;
let token: string;
const replicas: Replica[] = [];
const dataPlanes: DataPlane[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replicas-'));
  controlPlane = await startControlPlane();
  const all = kubectlOf(controlPlane);
  await all('apply', '--server-side', '--filename', crds);
  await installGatewayApi(all);
  await all('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
  await all('create', 'namespace', namespace);
  kubectl = all.in(namespace);
  for (const account of ['data-plane', 'stranger']) await kubectl('create', 'sa', account);
  token = await tokenOf('data-plane', 'gatehouse');
  await kubectl.apply([gatewayClass, gateway]);
});

afterEach(async () => {
  for (const one of dataPlanes.splice(0)) one.close();
  await Promise.all(replicas.splice(0).map((one) => one.stop()));
  // One request, however many there are.
  await kubectl('delete', '--raw', routesPath);
  await kubectl('delete', 'leases', '--all');
});

afterAll(async () => {
  await controlPlane?.stop();
  await rm(folder, { recursive: true, force: true });
});

const gatewayClass = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'gatehouse' },
  spec: { controllerName: 'gatehouse.dev/gateway-controller' },
};
const gateway = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'main', namespace },
  spec: {
    gatewayClassName: 'gatehouse',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
  },
};
const route = (name: string, body = 'hello') => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Route',
  metadata: { name, namespace },
  spec: { rules: [{ name: 'all', respond: { status: 200, body } }] },
});

type Condition = { type: string; status: string; message: string; observedGeneration: number };
type Reported = {
  metadata: { name: string; generation: number };
  status?: { conditions?: Condition[]; parents?: { conditions: Condition[] }[] };
};

async function tokenOf(account: string, audience: string): Promise<string> {
  return (await kubectl('create', 'token', account, `--audience=${audience}`)).trim();
}
async function start(name: string): Promise<Replica> {
  const replica = await startReplica(name, { kubeconfig: controlPlane.kubeconfig, folder });
  replicas.push(replica);
  return replica;
}
function joinFleet(replica: Replica, node: string): DataPlane {
  const one = connect(replica, node, token);
  dataPlanes.push(one);
  return one;
}
async function programmed(name: string, kind = 'route') {
  const { metadata, status } = await kubectl.get<Reported>(kind, name);
  const condition = status?.conditions?.find(({ type }) => type === 'Programmed');
  return condition?.observedGeneration === metadata.generation ? condition : undefined;
}
const isProgrammed = (name: string) =>
  waitFor(`${name} to be programmed`, async () => (await programmed(name))?.status === 'True', {
    interval: 20,
  });
const leader = () => waitFor('a leader', async () => replicas.find(({ log }) => leads(log))?.name);
const leads = (log: string[]) =>
  log.findLastIndex((line) => line.includes('leads and writes')) >
  log.findLastIndex((line) => line.includes('does not lead any more'));

describe('the status of a Route', () => {
  it('says what all data planes of all replicas serve', async () => {
    const [a, b] = [await start('c-1'), await start('c-2')];
    joinFleet(a, 'gw-1');
    const slow = joinFleet(b, 'gw-2');
    await waitFor('updates', () => slow.updates >= 2);
    await kubectl.apply(route('hello'));
    await isProgrammed('hello');
    expect((await programmed('hello'))?.message).toBe('acknowledged by 2 of 2 data planes');

    slow.answers = false;
    await kubectl.apply(route('hello', 'changed'));
    await waitFor(
      'what it waits for',
      async () =>
        (await programmed('hello'))?.message ===
        'acknowledged by 1 of 2 data planes (waiting for gw-2)',
    );
    slow.catchUp();
    await isProgrammed('hello');
    const { status } = await kubectl.get<Reported>('route', 'hello');
    expect(status?.parents?.[0]).toMatchObject({
      controllerName: 'gatehouse.dev/gateway-controller',
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace, name: 'main' },
      conditions: [
        { type: 'Accepted', status: 'True', observedGeneration: 2 },
        { type: 'ResolvedRefs', status: 'True', observedGeneration: 2 },
      ],
    });
    const [header, line] = (await kubectl('get', 'routes')).trim().split('\n');
    expect(header?.split(/\s+/)).toEqual(['NAME', 'HOSTNAMES', 'ACCEPTED', 'PROGRAMMED', 'AGE']);
    expect(line).toMatch(/hello\s+True\s+True/);
  });

  it('names what does not exist', async () => {
    joinFleet(await start('c-1'), 'gw-1');
    const spec = { rules: [{ name: 'all', backends: [{ name: 'nobody', port: 80 }] }] };
    await kubectl.apply({ ...route('lost'), spec });
    const conditions = await waitFor('conditions', async () => {
      const { status } = await kubectl.get<Reported>('route', 'lost');
      return status?.conditions;
    });
    expect(conditions).toContainEqual(
      expect.objectContaining({
        type: 'ResolvedRefs',
        status: 'False',
        reason: 'BackendNotFound',
        message: `spec.rules[0].backends[0]: Service "${namespace}/nobody" does not exist`,
      }),
    );
  });
});

describe('a Gateway', () => {
  it('and its class have a status of their own', async () => {
    joinFleet(await start('c-1'), 'gw-1');
    await kubectl.apply([route('one'), route('two')]);
    await kubectl('wait', 'gatewayclass/gatehouse', '--for=condition=Accepted', '--timeout=10s');
    await kubectl('wait', 'gateway/main', '--for=condition=Programmed', '--timeout=10s');
    await waitFor('two attached Routes', async () => {
      type Listeners = { status: { listeners: { attachedRoutes: number }[] } };
      const { status } = await kubectl.get<Listeners>('gateway', 'main');
      return status.listeners[0]?.attachedRoutes === 2;
    });
  });
});

describe('a Secret of a Gateway', () => {
  const secure = {
    ...gateway,
    metadata: { name: 'secure', namespace },
    spec: {
      gatewayClassName: 'gatehouse',
      listeners: [
        {
          name: 'https',
          port: 443,
          protocol: 'HTTPS',
          tls: { certificateRefs: [{ name: 'web' }] },
        },
      ],
    },
  };
  const conditionsOf = async () => {
    const { status } = await kubectl.get<Reported>('gateway', 'secure');
    return Object.fromEntries((status?.conditions ?? []).map((one) => [one.type, one]));
  };

  it('stays in use when it is deleted, and the Gateway says so', async () => {
    joinFleet(await start('c-1'), 'gw-1');
    await kubectl.apply(secure);
    const { certificate, key } = await createCertificates(['example.com']);
    await waitFor('its absence', async () => {
      const { ResolvedRefs, Accepted } = await conditionsOf();
      return ResolvedRefs?.status === 'False' && Accepted?.status === 'False';
    });
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'web', namespace },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': certificate, 'tls.key': key },
    });
    await waitFor('its presence', async () => {
      const { ResolvedRefs, Programmed } = await conditionsOf();
      return ResolvedRefs?.status === 'True' && Programmed?.status === 'True';
    });
    await kubectl('delete', 'secret', 'web');
    const { ResolvedRefs, Programmed } = await waitFor('the trouble', async () => {
      const all = await conditionsOf();
      return all.ResolvedRefs?.status === 'False' && all;
    });
    expect(ResolvedRefs?.message).toBe(
      `Secret "${namespace}/web" was deleted: create it again, or remove the reference; its last good content stays in use`,
    );
    expect(Programmed?.status).toBe('True');
    await kubectl('delete', 'gateway', 'secure');
  });
});

describe('a replica that leads', () => {
  it.each<[NodeJS.Signals, number]>([
    ['SIGTERM', 5],
    ['SIGKILL', 15],
  ])('is followed by another one after %s (%d s wanted)', async (signal, most) => {
    const [a, b] = [await start('c-1'), await start('c-2')];
    for (const [i, replica] of [a, b].entries()) joinFleet(replica, `gw-${i}`);
    await kubectl.apply(route('hello'));
    await isProgrammed('hello');
    const { status: before } = await kubectl.get<Reported>('route', 'hello');
    const name = await leader();
    const first = replicas.find((one) => one.name === name);
    const other = replicas.find((one) => one !== first);
    const from = performance.now();
    await first?.stop(signal);
    await waitFor('another leader', () => leads(other?.log ?? []), { interval: 10 });
    figure({ name: `fail-over after ${signal}`, value: secondsSince(from), unit: 's', most });
    const { status: after } = await kubectl.get<Reported>('route', 'hello');
    expect(after).toEqual(before);
    await kubectl.apply(route('hello', signal));
    await isProgrammed('hello');
  });
});

describe('a stranger', () => {
  it('gets nothing', async () => {
    const replica = await start('c-1');
    const strangers = [
      await tokenOf('data-plane', 'https://kubernetes.default.svc'),
      await tokenOf('stranger', 'gatehouse'),
      `${token.slice(0, -4)}AAAA`,
      'no-token-at-all',
    ];
    for (const one of strangers) {
      const plane = connect(replica, 'gw-1', one);
      expect((await plane.end())?.message).toContain('a valid bearer token is needed');
      expect(plane.updates).toBe(0);
      plane.close();
    }
  });
});

describe('a thousand Routes at once', () => {
  it('are programmed, with two writes each at most', async () => {
    const [a, b] = [await start('c-1'), await start('c-2')];
    for (const [i, replica] of [a, b, a, b].entries()) joinFleet(replica, `gw-${i}`);
    const first = await statusWrites();
    const names = Array.from({ length: 1000 }, (_, i) => `r-${i}`);
    const from = performance.now();
    const api = apiServerOf(loadKubeConfig(controlPlane.kubeconfig));
    const left = [...names];
    const create = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        await api.request({ method: 'POST', path: routesPath, body: route(name) });
      }
    };
    await Promise.all(Array.from({ length: 16 }, create));
    const applied = performance.now() - from;
    await waitFor(
      'all of them',
      async () => {
        const { items } = (await api.request({ path: routesPath })) as { items: Reported[] };
        const done = items.filter(({ status }) =>
          status?.conditions?.some(
            ({ type, status }) => type === 'Programmed' && status === 'True',
          ),
        );
        return done.length === names.length;
      },
      { interval: 500 },
    );
    const took = performance.now() - from;
    api.close();
    const writes = (await statusWrites()).slice(first.length);
    const perRoute = Map.groupBy(
      writes.filter(({ resource }) => resource === 'routes'),
      ({ name }) => name,
    );
    const others = writes.length - [...perRoute.values()].flat().length;
    const most = Math.max(...[...perRoute.values()].map((all) => all.length));
    const seconds = Number(((took - applied) / 1000).toFixed(1));
    figure({
      name: '1,000 Routes at once: all programmed after',
      value: seconds,
      unit: 's',
      most: 5,
    });
    figure({
      name: '1,000 Routes at once: writes to a Route',
      value: most,
      unit: 'writes',
      most: 2,
    });
    figure({
      name: '1,000 Routes at once: other writes',
      value: others,
      unit: 'writes',
      most: 300,
    });
    expect(most).toBeLessThanOrEqual(2);
  });

  /** What controllers wrote, Leases included. */
  async function statusWrites() {
    type Entry = {
      verb: string;
      userAgent?: string;
      objectRef?: { resource: string; name: string; subresource?: string };
    };
    const lines = (await readFile(controlPlane.auditLog, 'utf8')).trim().split('\n');
    return (
      lines
        .map((line) => JSON.parse(line) as Entry)
        .filter(({ userAgent }) => userAgent === 'gatehouse-controller')
        .filter(({ verb }) => ['patch', 'update', 'create', 'delete'].includes(verb))
        .flatMap(({ objectRef }) => objectRef ?? [])
        // The Routes themselves are made by this test.
        .filter(({ resource, subresource }) => resource !== 'routes' || subresource === 'status')
    );
  }
});
