import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DataPlane } from '@gatehouse/dataplane';
import { afterEach, expect, it } from 'vitest';
import { createFolder, respondRoute, type TestFolder } from './testing/folder.ts';
import { freePort } from './testing/free-port.ts';
import { startController, startDataPlane, type TestController } from './testing/gateway.ts';
import { get } from './testing/get.ts';
import { until } from './testing/until.ts';

const resourcesText = (httpPort: number, consulPort: number) => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw }
spec:
  gatewayClassName: gatehouse
  listeners: [{ name: http, port: ${httpPort}, protocol: HTTP }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: users }
spec:
  rules:
    - name: all
      matches: [{ path: { type: Prefix, value: /users } }]
      backends: [{ kind: Upstream, name: users }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: users }
spec: { endpoints: { consul: { address: "http://127.0.0.1:${consulPort}", service: users } } }
`;

const servers: Server[] = [];
const folders: TestFolder[] = [];
let controller: TestController;
let dataPlane: DataPlane;
afterEach(async () => {
  await dataPlane.close();
  await controller.close();
  servers.splice(0).forEach(stop);
  for (const folder of folders.splice(0)) await folder[Symbol.asyncDispose]();
});

function stop(server: Server) {
  server.close();
  server.closeAllConnections();
}

async function listen(server: Server, port = 0): Promise<number> {
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Says of one instance that it passes, and that nothing changes. */
function consulWith(instance: number): Server {
  return createServer((request, response) => {
    if (request.url?.includes('index=')) return;
    response.setHeader('content-type', 'application/json').setHeader('x-consul-index', 1);
    const Node = { Node: 'node', Address: '127.0.0.1' };
    response.end(JSON.stringify([{ Node, Service: { ID: 'users', Port: instance } }]));
  });
}

const backend = (text: string) => listen(createServer((_, response) => response.end(text)));

it('endpoints from a Consul that is gone are served on, across restarts of both sides', async () => {
  const [one, two] = [await backend('one'), await backend('two')];
  const [httpPort, consulPort] = [await freePort(), await freePort()];
  const text = resourcesText(httpPort, consulPort);
  const [folder, state] = [await createFolder({ 'all.yaml': text }), await createFolder({})];
  folders.push(folder, state);
  const start = async () => {
    controller = await startController(folder.path, state.path, ['--grpc-port', '0']);
    dataPlane = await startDataPlane(controller.grpcPort, state.path);
    await dataPlane.ready;
  };
  const ask = async (path: string) => (await get(httpPort, path)).text;
  const upstream = () => controller.summary()?.objects.find(({ kind }) => kind === 'Upstream');

  const consul = consulWith(one);
  await listen(consul, consulPort);
  await start();
  await until('Consul is believed', async () => (await ask('/users')) === 'one' || undefined);

  stop(consul);
  await until(
    'the status tells',
    () => upstream()?.message.includes('refuses connections') || undefined,
  );
  expect(upstream()?.message).toContain('the last list stays in use (endpoints: 1)');
  expect(await ask('/users')).toBe('one');

  // A controller that never had an answer, and a data plane that has the list from its file.
  await dataPlane.close();
  await controller.close();
  await start();
  expect(await ask('/users')).toBe('one');
  await until(
    'the status tells',
    () => upstream()?.message.includes('no list is known') || undefined,
  );
  await folder.write('more.yaml', respondRoute('more', '/more', 'other things go on'));
  await until(
    'a change is served',
    async () => (await ask('/more')) === 'other things go on' || undefined,
  );
  expect(await ask('/users')).toBe('one');

  await listen(consulWith(two), consulPort);
  await until('Consul is back', async () => (await ask('/users')) === 'two' || undefined);
  await until(
    'the status is good',
    () => upstream()?.message.startsWith('acknowledged') || undefined,
  );
});
