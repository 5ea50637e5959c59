import { expect, it } from 'vitest';
import { startBackend } from '../testing/backend.ts';
import { clientsOf } from '../testing/clients.ts';
import { startGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule } from '../testing/snapshot.ts';

it('a connection that is too old ends with its request', async () => {
  const backend = await startBackend();
  const up = { endpoints: [{ port: backend.port }], more: { maxLifetimeMs: 100 } };
  const gateway = await startGateway({ rules: [forwardRule('up')], upstreams: { up } });
  const clients = clientsOf(() => gateway.port);
  await expect
    .poll(async () => {
      expect(statusOf(await clients.ask())).toBe(200);
      return backend.connections.length;
    }, patient)
    .toBeGreaterThan(2);
  expect(backend.requests.length).toBeGreaterThan(backend.connections.length);
  clients.close();
  await gateway.close();
  await backend.close();
});
