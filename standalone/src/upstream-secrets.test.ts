import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createCertificates } from '@gatehouse/controller/push';
import type { DataPlane } from '@gatehouse/dataplane';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFolder, type TestFolder } from './testing/folder.ts';
import { freePort } from './testing/free-port.ts';
import { startController, startDataPlane, type TestController } from './testing/gateway.ts';
import { until } from './testing/until.ts';

const resources = (listener: number, endpoint: number) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw }
spec:
  gatewayClassName: gatehouse
  listeners: [{ name: http, port: ${listener}, protocol: HTTP }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: web }
spec:
  rules: [{ name: all, backends: [{ kind: Upstream, name: secure }] }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: secure }
spec:
  endpoints: { static: [{ address: 127.0.0.1, port: ${endpoint} }] }
  tls: { serverName: localhost, caSecretRef: { name: trust } }
`;

const trust = (pem: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'trust' },
    stringData: { 'ca.crt': pem },
  });

let folder: TestFolder;
let state: TestFolder;
let port: number;
let server: Server;
let controller: TestController;
let dataPlane: DataPlane;
let pair: Awaited<ReturnType<typeof createCertificates>>;

beforeEach(async () => {
  folder = await createFolder({});
  state = await createFolder({});
  port = await freePort();
  pair = await createCertificates(['localhost']);
  // Each request takes a handshake.
  server = createServer({ cert: pair.certificate, key: pair.key }, (_, response) =>
    response.writeHead(200, { connection: 'close' }).end('ok'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await folder.write('resources.yaml', resources(port, (server.address() as AddressInfo).port));
  await folder.write('trust.json', trust(pair.ca));
  controller = await startController(folder.path, state.path, ['--grpc-port', '0']);
  dataPlane = await startDataPlane(controller.grpcPort, state.path);
  await dataPlane.ready;
  await until('it is served', async () => (await ask()) === 200 || undefined);
});
afterEach(async () => {
  await dataPlane.close();
  await controller.close();
  await new Promise((resolve) => server.close(resolve));
  await folder[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

const ask = async () =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).status;
const told = (text: string) =>
  until(`the status tells "${text}"`, () => {
    const upstream = controller.summary()?.objects.find(({ kind }) => kind === 'Upstream');
    return upstream?.message.includes(text) || undefined;
  });
const isSound = () =>
  until('the status is good', () => {
    const upstream = controller.summary()?.objects.find(({ kind }) => kind === 'Upstream');
    return upstream?.programmed || undefined;
  });

it('authorities that turn bad stay as they were, across restarts of both sides', async () => {
  await folder.write('trust.json', trust(pair.ca.slice(0, 100)));
  await told('must hold certificates as PEM');
  expect(await ask()).toBe(200);
  await rm(join(folder.path, 'trust.json'));
  await told('does not exist');
  expect(await ask()).toBe(200);

  // A controller that never saw the Secret, and a data plane that has it from its file.
  await controller.close();
  await dataPlane.close();
  controller = await startController(folder.path, state.path, ['--grpc-port', '0']);
  dataPlane = await startDataPlane(controller.grpcPort, state.path);
  await dataPlane.ready;
  await told('does not exist');
  await until('it is served', async () => (await ask()) === 200 || undefined);

  // Sound, but not those of the endpoint.
  const other = await createCertificates(['localhost']);
  await folder.write('trust.json', trust(other.ca));
  await until('the endpoint is not asked', async () => (await ask()) === 502 || undefined);
  await folder.write('trust.json', trust(pair.ca));
  await until('it is served', async () => (await ask()) === 200 || undefined);
  await isSound();
});

it('endpoints and authorities are replaced under load, and no request fails', async () => {
  const next = await createCertificates(['localhost']);
  let running = true;
  const statuses = new Map<number, number>();
  const load = Array.from({ length: 4 }, async () => {
    while (running) {
      const status = await ask();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  const applied = async (pem: string) => {
    const before = controller.summary()?.configVersion;
    await folder.write('trust.json', trust(pem));
    await until('it is applied', () => {
      const now = controller.summary();
      return (
        (now?.configVersion !== before && now?.objects.every(({ programmed }) => programmed)) ||
        undefined
      );
    });
  };
  await applied(`${pair.ca}\n${next.ca}`);
  server.setSecureContext({ cert: next.certificate, key: next.key });
  await applied(next.ca);
  const seen = statuses.get(200) ?? 0;
  await until('it goes on', () => (statuses.get(200) ?? 0) > seen + 20 || undefined);
  running = false;
  await Promise.all(load);
  expect([...statuses.keys()]).toEqual([200]);
});
