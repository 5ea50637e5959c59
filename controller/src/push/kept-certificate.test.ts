import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ScriptedApiServer } from '../providers/kubernetes/testing/scripted-api-server.ts';
import { sharedToken } from './authenticate.ts';
import { Fleet } from './fleet.ts';
import { keepCertificate } from './kept-certificate.ts';
import type { Schedule } from './rotation.ts';
import { listen } from './server.ts';
import { bareDataPlane } from './testing/bare-data-plane.ts';
import { route, setOf, snapshotOf } from './testing/fixtures.ts';

const day = 24 * 60 * 60 * 1000;
const minute = 60 * 1000;
const schedule: Schedule = {
  authority: { lifetime: 100 * day, renewBefore: 40 * day },
  certificate: { lifetime: 30 * day, renewBefore: 10 * day },
  settle: 10 * minute,
};
const token = 'a-token-of-the-fleet';
const namespace = 'gatehouse';
const [secrets, configMaps] = ['api/v1/secrets', 'api/v1/configmaps'];
const opened: { close(): unknown }[] = [];
let api: ScriptedApiServer;
/** Data planes judge by the real clock, so controllers live in its past. */
let now: number;

beforeEach(() => {
  api = new ScriptedApiServer(secrets, configMaps);
  now = Date.now();
  empty();
  api.put(configMaps, { metadata: { name: 'ca', namespace } });
});
afterEach(async () => {
  api.fault = () => undefined;
  for (const one of opened.splice(0).reverse()) await one.close();
  await api.close();
});

/** As the chart makes it. */
function empty(): void {
  api.put(secrets, { metadata: { name: 'tls', namespace, labels: { chart: 'yes' } } });
}
type Texts = { data?: Record<string, string> } | undefined;
const trusted = () => (api.get(configMaps, 'ca', namespace) as Texts)?.data?.['ca.crt'] ?? '';
const authorities = () => trusted().split('BEGIN CERTIFICATE').length - 1;
const stored = (name: string) =>
  Buffer.from(
    (api.get(secrets, 'tls', namespace) as Texts)?.data?.[name] ?? '',
    'base64',
  ).toString();

async function startReplica(leads = true) {
  const fleet = new Fleet(() => undefined);
  fleet.publish(snapshotOf(setOf(route('a', 1))));
  const server = await listen({
    fleet,
    host: '127.0.0.1',
    port: 0,
    authenticate: sharedToken(token),
    log: pino({ level: 'silent' }),
  });
  opened.push(server);
  const said: string[] = [];
  const kept = keepCertificate({
    api: client,
    namespace,
    secret: 'tls',
    configMap: 'ca',
    hosts: ['127.0.0.1', 'gatehouse-controller.gatehouse.svc'],
    leads: () => leads,
    use: server.use,
    log: { info: () => {}, warn: (sentence: string) => said.push(sentence) },
    schedule,
    now: () => now,
    interval: 5,
    timing: { retry: { first: 5, most: 20 }, absent: 20, sound: 5 },
  });
  opened.push(kept);
  return { fleet, port: server.port, said };
}
let client: Awaited<ReturnType<ScriptedApiServer['listen']>>;
beforeEach(async () => {
  client = await api.listen();
  opened.push(client);
});

/** Connects as a data plane that trusts `ca`, and stays. */
async function join(port: number, ca: string, node: string) {
  const plane = bareDataPlane({ port, ca }, token);
  opened.push(plane);
  plane.send({ case: 'hello', value: { node } });
  await plane.next();
  return plane;
}
/** The certificate that a new connection is served by. */
function served(port: number): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false };
    const socket = connect(options, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) resolve(certificate);
    });
    socket.on('error', reject);
  });
}
const isServed = (port: number) => vi.waitFor(() => served(port), { interval: 5, timeout: 5000 });
const eventually = (look: () => unknown) => vi.waitFor(look, { interval: 5, timeout: 5000 });

describe('a Secret that the chart left empty', () => {
  test('is filled by the replica that leads, served by all, and told to data planes', async () => {
    const [leader, other] = [await startReplica(), await startReplica(false)];
    await isServed(other.port);
    await eventually(() => expect(authorities()).toBe(1));
    for (const { port } of [leader, other]) await join(port, trusted(), `dp-${port}`);
    expect((await served(leader.port)).fingerprint).toBe((await served(other.port)).fingerprint);
    expect(api.get(secrets, 'tls', namespace)?.metadata.labels).toEqual({ chart: 'yes' });
    const writes = api.seen.filter(({ method }) => method !== 'GET');
    expect(writes.map(({ path }) => path.split('/').slice(-2).join('/'))).toEqual([
      'secrets/tls',
      'configmaps/ca',
    ]);
  });

  test('is left alone by a replica that does not lead', async () => {
    const { port } = await startReplica(false);
    await eventually(() => expect(api.watches).toBe(2));
    await expect(served(port)).rejects.toThrow();
    expect(api.seen.every(({ method }) => method === 'GET')).toBe(true);
  });

  test('is filled again without losing a data plane that knows the old authority', async () => {
    const { port, fleet } = await startReplica();
    await isServed(port);
    await eventually(() => expect(authorities()).toBe(1));
    const before = trusted();
    const plane = await join(port, before, 'dp-1');
    api.remove(secrets, 'tls', namespace);
    empty();
    await eventually(() => expect(authorities()).toBe(2));
    await join(port, before, 'dp-2');
    now += 10 * minute;
    await eventually(async () => {
      const [, newest = ''] = trusted().split(/(?=-----BEGIN)/);
      expect((await served(port)).verify(new X509Certificate(newest).publicKey)).toBe(true);
    });
    await join(port, trusted(), 'dp-3');
    fleet.publish(snapshotOf(setOf(route('a', 2))));
    expect(fleet.view().dataPlanes.map(({ node }) => node)).toEqual(['dp-1', 'dp-2', 'dp-3']);
    await plane.next();
  });
});

describe('a certificate', () => {
  test('near its end is renewed by the same authority while data planes stay connected', async () => {
    now -= 21 * day;
    const { port, fleet } = await startReplica();
    const first = await isServed(port);
    await eventually(() => expect(authorities()).toBe(1));
    const ca = trusted();
    await join(port, ca, 'dp-1');
    now += 19 * day;
    await api.bookmark();
    expect((await served(port)).fingerprint).toBe(first.fingerprint);
    now += 2 * day;
    await eventually(async () =>
      expect((await served(port)).fingerprint).not.toBe(first.fingerprint),
    );
    expect(trusted()).toBe(ca);
    await join(port, ca, 'dp-2');
    expect(fleet.view().dataPlanes).toHaveLength(2);
  });

  test('that somebody took away is made again at once', async () => {
    const { port } = await startReplica();
    const first = await isServed(port);
    await eventually(() => expect(authorities()).toBe(1));
    now += 10 * minute;
    const secret = api.get(secrets, 'tls', namespace);
    const { 'tls.crt': _, 'tls.key': __, ...data } = (secret as Texts)?.data ?? {};
    api.put(secrets, { metadata: { name: 'tls', namespace }, data });
    await eventually(async () =>
      expect((await served(port)).fingerprint).not.toBe(first.fingerprint),
    );
    await join(port, trusted(), 'dp-1');
  });

  test('whose key is another one is not used, and the old one is', async () => {
    const leader = await startReplica();
    const { port, said } = await startReplica(false);
    const first = await isServed(port);
    await opened.find((one) => 'look' in one)?.close();
    const secret = api.get(secrets, 'tls', namespace) as Texts;
    const data = { ...secret?.data, 'tls.key': secret?.data?.['ca.key'] ?? '' };
    api.put(secrets, { metadata: { name: 'tls', namespace }, data });
    await eventually(() =>
      expect(said).toEqual([
        'Cannot use the certificate of Secret "gatehouse/tls": the key is not that of the certificate; the last one stays in use',
      ]),
    );
    expect((await served(port)).fingerprint).toBe(first.fingerprint);
    expect(leader.said).toEqual([]);
  });
});

describe('an authority near its end', () => {
  test('gets a successor that is trusted beside it before anything is signed by it', async () => {
    now -= 80 * day;
    const { port, fleet } = await startReplica();
    await eventually(() => expect(authorities()).toBe(1));
    now += 65 * day;
    // Renewed by the first authority: 15 days are left of the new certificate by the real clock.
    await eventually(async () =>
      expect((await served(port)).validToDate.getTime()).toBeGreaterThan(Date.now() + 14 * day),
    );
    await eventually(() => expect(authorities()).toBe(2));
    const both = trusted();
    const signedBy = async (index: number) => {
      const pem = both.split(/(?=-----BEGIN)/)[index] ?? '';
      return (await served(port)).verify(new X509Certificate(pem).publicKey);
    };
    expect(await signedBy(0)).toBe(true);
    await join(port, both, 'dp-1');
    now += 9 * minute;
    api.bookmark();
    expect(await signedBy(0)).toBe(true);
    now += minute;
    await eventually(async () => expect(await signedBy(1)).toBe(true));
    await join(port, both, 'dp-2');
    expect(trusted()).toBe(both);
    expect(fleet.view().dataPlanes.map(({ node }) => node)).toEqual(['dp-1', 'dp-2']);
  });

  test('does not sign what data planes cannot check: the ConfigMap must say it first', async () => {
    now -= 80 * day;
    const { port } = await startReplica();
    await isServed(port);
    await eventually(() => expect(authorities()).toBe(1));
    api.fault = ({ method, path }) =>
      method === 'PATCH' && path.includes('configmaps') ? { status: 403 } : undefined;
    now += 65 * day;
    await eventually(() => expect(stored('ca.crt').split('BEGIN').length).toBe(3));
    now += day;
    await join(port, trusted(), 'dp-1');
    api.fault = () => undefined;
    await eventually(() => expect(authorities()).toBe(2));
  });
});

test.each([
  ['Secret "gatehouse/tls"', secrets, 'tls'],
  ['ConfigMap "gatehouse/ca"', configMaps, 'ca'],
])('a %s that is missing is named with the remedy', async (what, collection, name) => {
  api.remove(collection, name, namespace);
  const { port, said } = await startReplica();
  const sentence = `Cannot keep the controller's certificate: ${what} does not exist; "helm upgrade" makes it again`;
  await eventually(() => expect(said).toEqual([sentence]));
  api.put(collection, { metadata: { name, namespace } });
  await isServed(port);
  await eventually(() => expect(authorities()).toBe(1));
});

test('what may not be read is named with the right that it takes', async () => {
  api.fault = ({ path }) =>
    path.endsWith('/secrets') ? { status: 403, message: 'no' } : undefined;
  const { said } = await startReplica();
  const remedy =
    'grant "list", "watch" and "patch" on "secrets" of the name "tls" to the controller';
  await eventually(() =>
    expect(said).toEqual([`Cannot list Secret "gatehouse/tls": no; ${remedy}`]),
  );
});
