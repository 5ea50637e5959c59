import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createFolder, forwardRoute } from '../testing/folder.ts';
import { freePort } from '../testing/free-port.ts';
import { startGatehouse } from '../testing/gatehouse.ts';
import { asked } from './asked.ts';
import { liveSnapshot } from './data-plane.ts';
import { explanationOf } from './explain.ts';
import { folderSnapshot } from './folder.ts';
import { linkSnapshot } from './linked.ts';
import type { ExplainedSnapshot } from './snapshot.ts';
import { gateway, policy } from './testing.ts';

it('a data plane is explained as the folder that it serves', async () => {
  const port = await freePort();
  await using folder = await createFolder({
    'gateway.yaml': gateway('web', `{ name: http, port: ${port}, protocol: HTTP }`),
    'orders.yaml': forwardRoute('orders', '/orders', 4011),
    'secret.yaml': `
apiVersion: v1
kind: Secret
metadata: { name: keys }
stringData: { alice: a-key-that-nobody-may-see }
`,
    'policy.yaml': policy(
      'orders',
      `targetRefs: [{ kind: Gateway, name: web }],
       authentication: [{ name: keys, apiKey: { secretRefs: [{ name: keys }] } }]`,
    ),
  });
  await using dev = startGatehouse(['dev', folder.path, '--admin-port', '0']);
  const { admin } = await dev.ready();
  await dev.line(/^AuthPolicy default\/orders: acknowledged/);
  const request = asked('GET', `http://127.0.0.1:${port}/orders/7`, ['x-user-id: 1'], '127.0.0.1');
  const explain = (snapshot: ExplainedSnapshot) => explanationOf(request, linkSnapshot(snapshot));
  const live = explain(await liveSnapshot(`http://127.0.0.1:${admin}`));
  const offline = explain(await folderSnapshot(folder.path));
  expect(live.source).toMatchObject({ version: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(live.policies).toHaveLength(1);
  expect(live.answer).toMatchObject({ by: 'backend', unless: ['AuthPolicy'] });
  expect({ ...live, source: null }).toEqual({ ...offline, source: null });
  const view = await (await fetch(`http://127.0.0.1:${admin}/config`)).text();
  expect(view).toContain('AuthPolicy/default/web/http');
  expect(view).not.toContain('nobody-may-see');
});

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

it.each([
  [
    'another program',
    200,
    '{"hello":1}',
    /shows no listeners: is it the admin port of a data plane\?/,
  ],
  ['no JSON', 200, '<html>', /Cannot read the config of ".*": .*JSON/],
  ['an error', 404, '{}', /GET \/config answers 404/],
  [
    'an older release',
    200,
    '{"listeners":[],"routes":[],"upstreams":[]}',
    /there is no list "policies"/,
  ],
  [
    'a newer release',
    200,
    '{"listeners":[{"name":"a/b/c","spec":{"port":80,"quic":true}}],"routes":[],"upstreams":[],"policies":[],"endpoints":[],"secrets":[]}',
    /shows what this release does not know: .*quic/,
  ],
])('what answers like %s is told', async (_, status, body, reason) => {
  const answering = createServer((_request, response) => response.writeHead(status).end(body));
  server = answering;
  await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
  const { port } = answering.address() as AddressInfo;
  await expect(liveSnapshot(`http://127.0.0.1:${port}`)).rejects.toThrow(reason);
});

it('that nobody answers is told', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const reason = `Cannot read the config of "http://127.0.0.1:${port}": nobody listens there`;
  await expect(liveSnapshot(`http://127.0.0.1:${port}`)).rejects.toThrow(reason);
});
