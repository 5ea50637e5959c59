import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, type Pair } from '../../testing/authority.ts';
import { type RawBackend, startBackend } from '../../testing/backend.ts';
import { createCertificate } from '../../testing/certificate.ts';
import { startGatewayTo, type TestGateway } from '../../testing/gateway.ts';
import { http2Clients } from '../../testing/http2-client.ts';
import { valuesOf } from '../../testing/message.ts';
import { authPolicy, forwardRule, type TestSnapshot } from '../../testing/snapshot.ts';

let backend: RawBackend;
let gateway: TestGateway;
const clients = http2Clients(() => gateway.port);
let client: Pair;
let snapshot: TestSnapshot;
const misdirected = { status: 421, body: '{"error":"Misdirected request"}' };

/** A listener that asks nobody for a certificate, one that demands one, and one for any other host. */
const snapshotOf = (authority: string): TestSnapshot => ({
  listeners: [
    { hostname: 'open.example', certificates: ['wild'] },
    { hostname: 'closed.example', certificates: ['wild'] },
    { certificates: ['wild', 'other'] },
  ],
  rules: [forwardRule('backend')],
  secrets: {
    wild: createCertificate('*.example', 'one.test'),
    other: createCertificate('two.test'),
  },
  entries: { 'policy/default/authorities/ca.crt': { 'ca.crt': authority } },
  policies: [
    authPolicy(
      {
        authentication: [{ name: 'cards', mtls: { caSecretRef: { name: 'authorities' } } }],
      },
      { scope: 'default/test/1' },
    ),
  ],
});

beforeAll(async () => {
  const authority = await createAuthority('CN=clients');
  client = await authority.issue('CN=ada', { names: [{ type: 'dns', value: 'ada.example' }] });
  snapshot = snapshotOf(authority.cert);
  backend = await startBackend();
  gateway = await startGatewayTo(backend, snapshot);
});
afterEach(() => {
  clients.close();
  backend.reset();
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

async function ask(name: string, host: string, more: object = {}) {
  const connected = await clients.connectSecurely({ servername: name, ...more });
  const { status, body } = await connected.ask({ ':authority': host });
  return { status, body };
}

describe('a request on a connection that was opened for another host', () => {
  it.each([
    ['of a listener with demands of its own', 'open.example', 'closed.example'],
    ['of one with none, from one with demands', 'closed.example', 'open.example'],
    ['of a listener for any host', 'open.example', 'more.example'],
    ['with a port, in other letters', 'open.example', 'CLOSED.example:443'],
    ['whose certificate is another one', 'one.test', 'two.test'],
    ['on a connection that named none', '', 'closed.example'],
  ])('%s is told to open another one', async (_case, name, host) => {
    expect(await ask(name, host)).toEqual(misdirected);
    expect(backend.requests).toHaveLength(0);
  });

  it.each([
    ['of the same listener and certificate', 'one.test', 'more.example'],
    ['of the same name', 'open.example', 'open.example:8443'],
    ['of the same name in other letters', 'open.example', 'OPEN.example'],
  ])('%s is served', async (_case, name, host) => {
    expect((await ask(name, host)).status).toBe(200);
    expect(valuesOf(backend.requests[0]?.fields ?? [], 'x-forwarded-proto')).toEqual(['https']);
  });

  it('is told so by the listener that is in force now', async () => {
    const connected = await clients.connectSecurely({ servername: 'one.test' });
    expect((await connected.ask({ ':authority': 'new.test' })).status).toBe(200);
    const [open, closed, any] = snapshot.listeners ?? [];
    const fresh = { name: 'fresh', hostname: 'new.test', certificates: ['other'] };
    const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
    const listeners = [open ?? {}, closed ?? {}, any ?? {}, fresh];
    await gateway.use({ ...snapshot, upstreams, listeners });
    expect((await connected.ask({ ':authority': 'new.test' })).status).toBe(421);
    await gateway.use({ ...snapshot, upstreams });
  });
});

describe('a client certificate', () => {
  it('is what its listener demands', async () => {
    expect((await ask('closed.example', 'closed.example')).status).toBe(401);
    const { cert, key } = client;
    const shown = await ask('closed.example', 'closed.example', { cert, key });
    expect(shown.status).toBe(200);
  });
});

it('over TLS HTTP/2 is chosen by ALPN, and nothing else may come then', async () => {
  const connected = await clients.connectSecurely({ servername: 'open.example' });
  expect(connected.session.alpnProtocol).toBe('h2');
  connected.session.socket.destroy();
  await connected.closed;
  await expect.poll(() => gateway.connections()).toBe(0);
});
