import { spawn } from 'node:child_process';
import { Listener_TlsVersion } from '@gatehouse/snapshot';
import { afterEach, describe, expect, it } from 'vitest';
import { createCertificate } from '../testing/certificate.ts';
import { connectSecurely, connectTo } from '../testing/client.ts';
import { type GatewayOptions, startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { visit } from '../testing/tls-sessions.ts';

const a = createCertificate('a.test');
const b = createCertificate('b.test');
const respond = {
  name: 'r',
  action: { case: 'respond' as const, value: { status: 200, body: Buffer.from('fine') } },
};
const { TLS_1_3 } = Listener_TlsVersion;

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(more: GatewayOptions = {}) {
  gateway = await startGateway({
    listeners: [
      { hostname: 'a.test', certificates: ['a'] },
      { hostname: 'b.test', certificates: ['b'], minTlsVersion: TLS_1_3 },
    ],
    rules: [respond],
    secrets: { a, b },
    ...more,
  });
}

const failures = (reason: string, count: number) =>
  `gatehouse_tls_handshake_failures_total{reason="${reason}"} ${count}\n`;

async function counted(text: string) {
  await expect.poll(() => gateway.metrics(), patient).toContain(text);
}

describe('the minimum version', () => {
  it.each([
    ['a.test', 'TLSv1.2', 'TLSv1.2'],
    ['a.test', 'TLSv1.3', 'TLSv1.3'],
    ['b.test', 'TLSv1.3', 'TLSv1.3'],
  ] as const)('of %s takes clients of %s', async (servername, maxVersion, version) => {
    await start();
    expect(await visit(gateway.port, { servername, maxVersion })).toMatchObject({
      version,
      subject: servername,
    });
  });

  it.each([
    ['a.test', 'TLSv1.1'],
    ['b.test', 'TLSv1.1'],
    ['b.test', 'TLSv1.2'],
  ] as const)('of %s refuses clients of %s', async (servername, maxVersion) => {
    await start();
    const old = { minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(visit(gateway.port, { servername, maxVersion, ...old })).rejects.toThrow(
      /alert|protocol version/i,
    );
    await counted(failures('version', 1));
  });

  it('holds for requests whose Host names another listener than the handshake did', async () => {
    await start();
    const status = async (maxVersion: 'TLSv1.2' | 'TLSv1.3', host: string) => {
      const client = await connectSecurely(gateway.port, { servername: 'a.test', maxVersion });
      client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const found = statusOf(await client.message());
      client.socket.destroy();
      return found;
    };
    expect(await status('TLSv1.2', 'a.test')).toBe(200);
    expect(await status('TLSv1.2', 'b.test')).toBe(421);
    expect(await status('TLSv1.3', 'b.test')).toBe(200);
  });

  it('changes for the next handshake', async () => {
    await start();
    const old = { servername: 'a.test', maxVersion: 'TLSv1.2' as const };
    const { session } = await visit(gateway.port, old);
    await gateway.use({
      listeners: [{ hostname: 'a.test', certificates: ['a'], minTlsVersion: TLS_1_3 }],
      rules: [respond],
      secrets: { a },
    });
    await expect(visit(gateway.port, { ...old, session })).rejects.toThrow(/protocol version/i);
  });
});

describe('cipher suites of TLS 1.2', () => {
  it.each(['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256'])(
    'are not %s',
    async (ciphers) => {
      await start();
      const options = { servername: 'a.test', maxVersion: 'TLSv1.2' as const, ciphers };
      await expect(visit(gateway.port, options)).rejects.toThrow(/handshake failure/i);
      await counted(failures('cipher', 1));
    },
  );
});

describe('handshakes that do not end', () => {
  it('count for the limit of connections, and make room when their time is up', async () => {
    await start({ limits: { connections: 3, headTimeout: 1000 } });
    const silent = await connectTo(gateway.port);
    const slow = await connectTo(gateway.port);
    slow.write('\x16\x03\x01');
    const served = await connectSecurely(gateway.port, { servername: 'a.test' });
    await counted('gatehouse_tls_open_handshakes 2\n');
    await expect(visit(gateway.port, { servername: 'a.test' })).rejects.toThrow();
    for (const peer of [silent, slow]) {
      expect(await peer.close()).toMatch(/end|ECONNRESET/);
      peer.end();
    }
    await counted(failures('timeout', 2));
    await counted('gatehouse_tls_open_handshakes 0\n');
    served.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    expect((await served.message()).body.toString()).toBe('fine');
    expect(await visit(gateway.port, { servername: 'a.test' })).toMatchObject({ resumed: false });
    served.socket.destroy();
  });

  it('are not kept alive by a byte now and then', async () => {
    await start({ limits: { headTimeout: 500 } });
    const began = performance.now();
    const drip = await connectTo(gateway.port);
    drip.write('\x16\x03\x01\x40\x00\x01\x00\x30\x00');
    const timer = setInterval(() => drip.write('\x01'), 20);
    expect(await drip.close()).toMatch(/end|ECONNRESET|EPIPE/);
    clearInterval(timer);
    drip.end();
    expect(performance.now() - began).toBeGreaterThan(450);
    await counted(failures('timeout', 1));
  });

  it.each<[string, (peer: Peer) => void, string]>([
    ['plain HTTP', (peer) => peer.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'), 'not_tls'],
    ['a client that leaves', (peer) => peer.end(), 'closed'],
    ['a client that resets', (peer) => peer.reset(), 'closed'],
  ])('are told: %s', async (_, act, reason) => {
    await start();
    const client = await connectTo(gateway.port);
    act(client);
    await counted(failures(reason, 1));
    client.end();
    await client.close();
  });

  it.each(['-tls1_2', '-tls1_3'])('are told: a client that trusts nobody (%s)', async (flag) => {
    await start();
    const args = ['s_client', '-connect', `127.0.0.1:${gateway.port}`, flag];
    const client = spawn('openssl', [...args, '-servername', 'a.test', '-verify_return_error']);
    client.stdin.on('error', () => undefined);
    client.stdin.end();
    await counted(failures('client_alert', 1));
  });
});

describe('renegotiation', () => {
  it('is refused, the connection was good until then', async () => {
    await start();
    const args = ['s_client', '-connect', `127.0.0.1:${gateway.port}`, '-tls1_2'];
    const client = spawn('openssl', [...args, '-servername', 'a.test', '-msg']);
    let said = '';
    for (const stream of [client.stdout, client.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        said += bytes;
      });
    }
    const closed = new Promise((resolve) => client.on('close', resolve));
    await expect.poll(() => said, patient).toContain('Secure Renegotiation IS supported');
    client.stdin.write('R\n');
    await expect.poll(() => said, patient).toMatch(/no_renegotiation|no renegotiation/);
    client.stdin.end();
    await closed;
    expect(gateway.metrics()).toContain(
      'gatehouse_tls_handshakes_total{version="TLSv1.2",resumed="false"} 1\n',
    );
  });
});
