import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createCertificates } from '@gatehouse/controller/push';
import type { DataPlane } from '@gatehouse/dataplane';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFolder, respondRoute, type TestFolder } from './testing/folder.ts';
import { freePort } from './testing/free-port.ts';
import { startController, startDataPlane, type TestController } from './testing/gateway.ts';
import { until } from './testing/until.ts';

const gatewayText = (port: number) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw }
spec:
  gatewayClassName: gatehouse
  listeners:
    - name: https
      port: ${port}
      protocol: HTTPS
      tls: { certificateRefs: [{ name: web }] }
`;

const secretText = ({ certificate, key }: { certificate: string; key: string }) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'web' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate, 'tls.key': key },
  });

let folder: TestFolder;
let state: TestFolder;
let port: number;
let controller: TestController;
let dataPlane: DataPlane;
beforeEach(async () => {
  folder = await createFolder({});
  state = await createFolder({});
  port = await freePort();
});
afterEach(async () => {
  await dataPlane.close();
  await controller.close();
  await folder[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

/** The answer over TLS, checked against an authority. */
function ask(ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text.slice(text.lastIndexOf('\n') + 1)));
    socket.on('error', reject);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
}

const served = (ca: string, body: string) =>
  until(`"${body}" is served`, async () => ((await ask(ca)) === body ? true : undefined));
const gateway = () => controller.summary()?.objects.find(({ kind }) => kind === 'Gateway');

it('a certificate whose Secret is deleted serves on, across restarts of both sides', async () => {
  const pair = await createCertificates(['localhost']);
  const renewed = await createCertificates(['localhost']);
  await folder.write('gateway.yaml', gatewayText(port));
  await folder.write('secret.json', secretText(pair));
  await folder.write('route.yaml', respondRoute('web', '/', 'one'));
  controller = await startController(folder.path, state.path, ['--grpc-port', '0']);
  dataPlane = await startDataPlane(controller.grpcPort, state.path);
  await dataPlane.ready;
  await served(pair.ca, 'one');

  await rm(join(folder.path, 'secret.json'));
  await until(
    'the status tells',
    () => gateway()?.message.includes('it has no usable certificate') || undefined,
  );
  await folder.write('route.yaml', respondRoute('web', '/', 'two'));
  await served(pair.ca, 'two');

  // A controller that never saw the Secret, and a data plane that has it from its file.
  await controller.close();
  await dataPlane.close();
  controller = await startController(folder.path, state.path, ['--grpc-port', '0']);
  dataPlane = await startDataPlane(controller.grpcPort, state.path);
  await dataPlane.ready;
  await served(pair.ca, 'two');
  await folder.write('route.yaml', respondRoute('web', '/', 'three'));
  await served(pair.ca, 'three');
  expect(gateway()?.message).toContain('it has no usable certificate, only data planes that hold');

  await folder.write('secret.json', secretText(renewed));
  await until('the new certificate is served', () =>
    ask(renewed.ca).then(
      (text) => text === 'three' || undefined,
      () => undefined,
    ),
  );
  await until('the status is good', () => gateway()?.programmed || undefined);
});
