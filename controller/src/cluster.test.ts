import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KeptCertificateOptions } from './options.ts';
import { ScriptedApiServer } from './providers/kubernetes/testing/scripted-api-server.ts';
import { bareDataPlane } from './push/testing/bare-data-plane.ts';
import { type Running, run } from './run.ts';

const own = (plural: string) => `apis/gatehouse.dev/v1alpha1/${plural}`;
const gatewayApi = (plural: string) => `apis/gateway.networking.k8s.io/v1/${plural}`;
const collections = [
  ...[own('authpolicies'), own('ratelimitpolicies'), own('consumers')],
  ...[own('routes'), own('upstreams'), gatewayApi('gateways'), gatewayApi('gatewayclasses')],
  ...['api/v1/services', 'api/v1/namespaces', 'apis/discovery.k8s.io/v1/endpointslices'],
  'apis/gateway.networking.k8s.io/v1beta1/referencegrants',
  'apis/coordination.k8s.io/v1/leases',
  'apis/authentication.k8s.io/v1/tokenreviews',
  ...['api/v1/secrets', 'api/v1/configmaps'],
];
const username = 'system:serviceaccount:gatehouse:data-plane';
const opened: { close(): unknown }[] = [];
let folder: string;
let server: ScriptedApiServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-'));
  server = new ScriptedApiServer(...collections);
  server.review = (body) => {
    const { spec } = body as { spec: { token: string } };
    const [pod = ''] = spec.token.split('.');
    const user = { username, extra: { 'authentication.kubernetes.io/pod-name': [pod] } };
    return { status: { authenticated: true, audiences: ['gatehouse'], user } };
  };
  await writeFile(join(folder, 'kubeconfig'), (await server.kubeconfig()).exportConfig());
  server.put(gatewayApi('gatewayclasses'), {
    metadata: { name: 'gatehouse' },
    spec: { controllerName: 'gatehouse.dev/gateway-controller' },
  });
  server.put(gatewayApi('gateways'), {
    metadata: { name: 'main', namespace: 'shop' },
    spec: {
      gatewayClassName: 'gatehouse',
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
    },
  });
});
afterEach(async () => {
  server.fault = () => undefined;
  for (const one of opened.splice(0).reverse()) await one.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function start(
  podName: string,
  certificate?: KeptCertificateOptions,
  dataPlaneService?: string,
): Promise<Running> {
  const running = await run(
    {
      cluster: {
        kubeconfig: join(folder, 'kubeconfig'),
        namespaces: [],
        dataPlanes: ['gatehouse/data-plane'],
        podName,
        dataPlaneService,
        podUid: undefined,
        namespace: 'gatehouse',
        elect: true,
        certificate,
      },
      grpcHost: '127.0.0.1',
      grpcPort: 0,
      adminHost: '127.0.0.1',
      adminPort: 0,
      tls: undefined,
      caOut: join(folder, `${podName}.pem`),
      httpPort: undefined,
      logLevel: 'silent',
    },
    { log: pino({ level: 'silent' }), onProblems: () => {}, onSummary: () => {} },
  );
  opened.push(running);
  return running;
}

/** Acknowledges what it is told to. */
async function connect(running: Running, podName: string, node: string, authority?: string) {
  const claims = Buffer.from(JSON.stringify({ aud: ['gatehouse'], sub: username }));
  const ca = authority ?? (await readFile(join(folder, `${podName}.pem`), 'utf8'));
  const plane = bareDataPlane(
    { port: running.grpcPort, ca },
    `${node}.${claims.toString('base64url')}.x`,
  );
  opened.push(plane);
  plane.send({ case: 'hello', value: { node, zone: 'z', release: '1' } });
  const state = { answers: true, updates: 0, replicas: 0, unanswered: () => {} };
  const follow = async () => {
    for (;;) {
      const { lane, version, replicas } = await plane.next();
      state.updates++;
      state.replicas = replicas;
      const answer = () => plane.send({ case: 'ack', value: { lane, version } });
      if (state.answers) answer();
      else state.unanswered = answer;
    }
  };
  follow().catch(() => undefined);
  return state;
}

const route = (body: string, generation: number) =>
  server.put(own('routes'), {
    metadata: { name: 'hello', namespace: 'shop', generation },
    spec: { rules: [{ name: 'all', respond: { status: 200, body } }] },
  });
type Status = { conditions: { type: string; status: string; observedGeneration: number }[] };
const conditions = (collection = own('routes'), name = 'hello') =>
  (server.get(collection, name, 'shop')?.status as Status | undefined)?.conditions;
const ready = async ({ adminPort }: Running) => {
  const response = await fetch(`http://127.0.0.1:${adminPort}/ready`);
  return [response.status, await response.json()];
};
const readyNow = [200, { status: 'ready' }];

test('a Route is programmed when the data planes of all replicas acknowledged it', async () => {
  const [a, b] = [await start('c-1'), await start('c-2')];
  const second = await connect(b, 'c-2', 'gw-2');
  await connect(a, 'c-1', 'gw-1');
  await vi.waitFor(() => {
    const notices = JSON.stringify(server.list('apis/coordination.k8s.io/v1/leases'));
    for (const node of ['gw-1', 'gw-2']) expect(notices).toContain(node);
  }, 5000);
  route('one', 1);
  const programmed = (generation: number, message: string) => ({
    type: 'Programmed',
    observedGeneration: generation,
    message,
  });
  const all = 'acknowledged by 2 of 2 data planes';
  await vi.waitFor(() => expect(conditions()).toMatchObject([{}, {}, programmed(1, all)]), 5000);
  second.answers = false;
  route('two', 2);
  const waiting = programmed(2, 'acknowledged by 1 of 2 data planes (waiting for gw-2)');
  await vi.waitFor(() => expect(conditions()).toMatchObject([{}, {}, waiting]), 5000);
  second.unanswered();
  await vi.waitFor(() => expect(conditions()).toMatchObject([{}, {}, programmed(2, all)]), 5000);
  await vi.waitFor(() =>
    expect(conditions(gatewayApi('gateways'), 'main')?.at(-1)?.status).toBe('True'),
  );
});

/** A policy whose limit is shared. */
const share = () =>
  server.put(own('ratelimitpolicies'), {
    metadata: { name: 'shared', namespace: 'shop', generation: 1 },
    spec: {
      targetRefs: [{ kind: 'Route', name: 'hello' }],
      limits: { all: { rates: [{ limit: 10, window: '1m' }] } },
      counting: { store: 'Shared' },
    },
  });

test('data planes of all replicas are told how many they are', async () => {
  route('one', 1);
  share();
  const [a, b] = [await start('c-1'), await start('c-2')];
  const planes = [await connect(a, 'c-1', 'gw-1'), await connect(b, 'c-2', 'gw-2')];
  await vi.waitFor(() => expect(planes.map(({ replicas }) => replicas)).toEqual([2, 2]), 10_000);
});

test('where it is known which Pods take requests, those are counted', async () => {
  route('one', 1);
  share();
  const endpoint = (name: string, ready: boolean) => ({
    addresses: ['10.0.0.1'],
    conditions: { ready },
    targetRef: { kind: 'Pod', name },
  });
  server.put('apis/discovery.k8s.io/v1/endpointslices', {
    metadata: {
      name: 'gw-1',
      namespace: 'gatehouse',
      labels: { 'kubernetes.io/service-name': 'gw' },
    },
    addressType: 'IPv4',
    endpoints: [endpoint('gw-1', true), endpoint('gw-2', true), endpoint('gw-3', false)],
    ports: [{ port: 80 }],
  });
  const running = await start('c-1', undefined, 'gatehouse/gw');
  const plane = await connect(running, 'c-1', 'gw-1');
  await vi.waitFor(() => expect(plane.replicas).toBe(2), 5000);
});

test('nothing is sent before everything was read once', async () => {
  let broken = true;
  server.fault = ({ path }) => (broken && path.endsWith('/services') ? { status: 500 } : undefined);
  const running = await start('c-1');
  const plane = await connect(running, 'c-1', 'gw-1');
  await vi.waitFor(() =>
    expect(server.seen.filter(({ path }) => path.endsWith('/services')).length).toBeGreaterThan(1),
  );
  expect(await ready(running)).toEqual([
    503,
    { status: 'not ready yet', waiting: ['the first compile', '/api/v1/services'] },
  ]);
  expect(plane.updates).toBe(0);
  broken = false;
  await vi.waitFor(() => expect(plane.updates).toBe(2), 5000);
  expect(await ready(running)).toEqual(readyNow);
});

test('an API server that is gone takes nothing away', async () => {
  route('one', 1);
  const running = await start('c-1');
  const plane = await connect(running, 'c-1', 'gw-1');
  await vi.waitFor(() => expect(plane.updates).toBe(2), 5000);
  server.fault = () => ({ status: 503 });
  server.cut(false);
  await vi.waitFor(() =>
    expect(server.seen.filter(({ query }) => query.has('watch')).length).toBeGreaterThan(12),
  );
  expect(await ready(running)).toEqual(readyNow);
  expect(plane.updates).toBe(2);
  server.fault = () => undefined;
  route('two', 2);
  await vi.waitFor(() => expect(plane.updates).toBe(3), 10_000);
});

test('a token of another pod is not let in', async () => {
  const running = await start('c-1');
  const ca = await readFile(join(folder, 'c-1.pem'), 'utf8');
  const claims = Buffer.from(JSON.stringify({ aud: ['gatehouse'], sub: username }));
  const token = `gw-2.${claims.toString('base64url')}.x`;
  const plane = bareDataPlane({ port: running.grpcPort, ca }, token);
  opened.push(plane);
  plane.send({ case: 'hello', value: { node: 'gw-1', zone: 'z', release: '1' } });
  expect((await plane.end())?.message).toContain('the token belongs to "gw-2", not to "gw-1"');
});

test('the certificate comes from a Secret that the controllers keep', async () => {
  const running = await start('c-1', { secret: 'tls', caConfigMap: 'ca', hosts: ['127.0.0.1'] });
  const waiting = 'the certificate for data planes';
  await vi.waitFor(async () =>
    expect(await ready(running)).toEqual([503, { status: 'not ready yet', waiting: [waiting] }]),
  );
  const namespace = 'gatehouse';
  server.put('api/v1/secrets', { metadata: { name: 'tls', namespace } });
  server.put('api/v1/configmaps', { metadata: { name: 'ca', namespace } });
  await vi.waitFor(async () => expect(await ready(running)).toEqual(readyNow), 5000);
  const authority = await vi.waitFor(() => {
    const { data } = server.get('api/v1/configmaps', 'ca', namespace) as { data?: object } & object;
    return (data as { 'ca.crt': string })['ca.crt'];
  });
  const plane = await connect(running, 'c-1', 'gw-1', authority);
  await vi.waitFor(() => expect(plane.updates).toBe(2), 5000);
  const metrics = await (await fetch(`http://127.0.0.1:${running.adminPort}/metrics`)).text();
  const end = /^gatehouse_certificate_expiry_timestamp_seconds (\d+)$/m.exec(metrics)?.[1];
  expect(Number(end) / 86_400).toBeCloseTo(Date.now() / 86_400_000 + 90, 0);
});
