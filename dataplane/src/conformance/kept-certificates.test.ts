import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { createCertificate } from '../testing/certificate.ts';
import { connectSecurely, connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { forwardRule, type TestListener } from '../testing/snapshot.ts';

const shop = createCertificate('shop.example.com');
const rest = createCertificate('rest.test');
const upstreams = () => ({ backend: { endpoints: [{ port: backend.port }] } });
const rules = [forwardRule('backend')];
const own = { name: 'shop', hostname: 'shop.example.com' };
const other: TestListener = { name: 'rest', certificates: ['rest'] };

let backend: RawBackend;
let gateway: TestGateway;
beforeEach(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend, {
    listeners: [{ ...own, certificates: ['shop'] }, other],
    secrets: { shop, rest },
  });
});
afterEach(async () => {
  await gateway.close();
  await backend.close();
});

async function subjectOf(servername: string): Promise<string> {
  const client = await connectSecurely(gateway.port, { servername });
  client.socket.destroy();
  return client.peerName;
}

describe('a listener whose Secret is lost', () => {
  const lost = { ...own, certificates: [], keptCertificates: ['shop'] };

  it('is served with the certificate that is held', async () => {
    const listeners = [lost, other];
    await gateway.use({ rules, upstreams: upstreams(), listeners, secrets: { shop, rest } });
    expect(await subjectOf('shop.example.com')).toBe('shop.example.com');
    expect(await subjectOf('rest.test')).toBe('rest.test');
  });

  it('is left out where nothing is held, and other listeners of its port are served', async () => {
    const listeners = [lost, other];
    await gateway.use({ rules, upstreams: upstreams(), listeners, secrets: { rest } });
    expect(await subjectOf('shop.example.com')).toBe('rest.test');
  });

  it('is left out where what is held cannot be served any more, and refuses nothing', async () => {
    const broken = { cert: shop.cert, key: rest.key };
    const listeners = [lost, other];
    await gateway.use({
      rules,
      upstreams: upstreams(),
      listeners,
      secrets: { shop: broken, rest },
    });
    expect(await subjectOf('shop.example.com')).toBe('rest.test');
  });

  it('opens no port by itself', async () => {
    await gateway.use({ rules, upstreams: upstreams(), listeners: [lost], secrets: {} });
    await expect(connectTo(gateway.port)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('has the certificates that are there beside the kept ones', async () => {
    const listeners = [{ ...own, certificates: ['rest'], keptCertificates: ['gone', 'shop'] }];
    await gateway.use({ rules, upstreams: upstreams(), listeners, secrets: { shop, rest } });
    expect(await subjectOf('shop.example.com')).toBe('shop.example.com');
  });
});
