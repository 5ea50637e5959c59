import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { TicketSeeds, ticketPeriod } from '../server/tls/ticket-keys.ts';
import { type Authority, createAuthority } from '../testing/authority.ts';
import { createCertificate } from '../testing/certificate.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { authPolicy, type TestSnapshot } from '../testing/snapshot.ts';
import { visit } from '../testing/tls-sessions.ts';

const a = createCertificate('a.test', 'other.test');
const b = createCertificate('b.test');
const certificateOfClient = { name: 'mtls', mtls: { caSecretRef: { name: 'ca' } } };
const respond = {
  name: 'r',
  action: { case: 'respond' as const, value: { status: 200, body: Buffer.from('fine') } },
};
const snapshot = (more: TestSnapshot = {}): TestSnapshot => ({
  listeners: [
    { name: 'default/test/0', hostname: 'a.test', certificates: ['a'] },
    { name: 'default/test/1', hostname: 'b.test', certificates: ['b'] },
    { name: 'default/test/2', certificates: ['a'] },
  ],
  rules: [respond],
  secrets: { a, b },
  ...more,
});

let authority: Authority;
const started: TestGateway[] = [];
beforeAll(async () => {
  authority = await createAuthority('CN=root');
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(started.splice(0).map((gateway) => gateway.close()));
});

async function start(more: TestSnapshot = {}, seeds?: TicketSeeds): Promise<TestGateway> {
  const gateway = await startGateway({ ...snapshot(more), ...(seeds ? { seeds } : {}) });
  started.push(gateway);
  return gateway;
}

const tls12 = { servername: 'a.test', maxVersion: 'TLSv1.2' as const };
const tls13 = { servername: 'a.test', minVersion: 'TLSv1.3' as const };

describe('a TLS session', () => {
  it.each([
    ['1.2', tls12],
    ['1.3', tls13],
  ])('of TLS %s is resumed, on this thread and on another', async (_, options) => {
    const seeds = new TicketSeeds();
    const one = await start({}, seeds);
    const other = await start({}, new TicketSeeds(seeds.handOver()));
    const { session, resumed } = await visit(one.port, options);
    expect(resumed).toBe(false);
    expect((await visit(one.port, { ...options, session })).resumed).toBe(true);
    expect((await visit(other.port, { ...options, session })).resumed).toBe(true);
    const version = options === tls12 ? 'TLSv1.2' : 'TLSv1.3';
    expect(one.metrics()).toContain(
      `gatehouse_tls_handshakes_total{version="${version}",resumed="true"} 1\n`,
    );
    expect(one.metrics()).toContain(
      `gatehouse_tls_handshakes_total{version="${version}",resumed="false"} 1\n`,
    );
  });

  it('of TLS 1.3 is resumed on another data plane, of TLS 1.2 it begins anew there', async () => {
    const [one, other] = [await start(), await start()];
    const newer = await visit(one.port, tls13);
    expect((await visit(other.port, { ...tls13, session: newer.session })).resumed).toBe(true);
    const older = await visit(one.port, tls12);
    expect((await visit(other.port, { ...tls12, session: older.session })).resumed).toBe(false);
  });

  it.each([
    ['1.2', tls12],
    ['1.3', tls13],
  ])('of TLS %s is resumed in the hour behind that of its key, not later', async (_, options) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const gateway = await start();
    const { session } = await visit(gateway.port, options);
    vi.setSystemTime(Date.now() + ticketPeriod);
    const next = await visit(gateway.port, { ...options, session });
    expect(next.resumed).toBe(true);
    vi.setSystemTime(Date.now() + ticketPeriod);
    expect((await visit(gateway.port, { ...options, session })).resumed).toBe(false);
  });

  it.each([
    ['1.2', tls12],
    ['1.3', tls13],
  ])('of TLS %s is not resumed by another listener', async (_, options) => {
    const gateway = await start();
    const { session } = await visit(gateway.port, options);
    for (const servername of ['b.test', 'other.test']) {
      expect(await visit(gateway.port, { ...options, servername, session })).toMatchObject({
        resumed: false,
        subject: servername === 'b.test' ? 'b.test' : 'a.test',
      });
    }
  });

  it.each([
    ['1.2', tls12],
    ['1.3', tls13],
  ])(
    'of TLS %s is not resumed once clients are asked for certificates',
    async (_, { servername, ...options }) => {
      const gateway = await start();
      const client = await authority.issue('CN=client');
      const to = { ...options, servername, ...client };
      const { session } = await visit(gateway.port, to);
      await gateway.use(
        snapshot({
          policies: [authPolicy({ authentication: [certificateOfClient] })],
          entries: { 'policy/default/ca/ca.crt': { 'ca.crt': authority.cert } },
        }),
      );
      const asked = await visit(gateway.port, { ...to, session });
      expect(asked.resumed).toBe(false);
      // And those behind it neither: each shows its certificate.
      expect((await visit(gateway.port, { ...to, session: asked.session })).resumed).toBe(false);
      // Other listeners of the port go on.
      const rest = { ...options, servername: 'b.test' };
      const first = await visit(gateway.port, rest);
      expect((await visit(gateway.port, { ...rest, session: first.session })).resumed).toBe(true);
    },
  );

  it.each([
    ['1.2', tls12],
    ['1.3', tls13],
  ])('of TLS %s is not resumed with another key of the listener', async (_, options) => {
    const gateway = await start();
    const { session } = await visit(gateway.port, options);
    await gateway.use(snapshot({ secrets: { a: createCertificate('a.test'), b } }));
    const next = await visit(gateway.port, { ...options, session });
    expect(next.resumed).toBe(false);
  });

  it.each(['-tls1_2', '-tls1_3'])('is reused by openssl s_client -reconnect %s', async (flag) => {
    const gateway = await start();
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    const file = join(folder, 'session');
    const run = (...more: string[]) =>
      openssl(gateway.port, [flag, '-servername', 'a.test', '-ign_eof', ...more]);
    expect(await run('-sess_out', file)).toContain('New, TLS');
    expect(await run('-sess_in', file)).toContain('Reused, TLS');
    rmSync(folder, { recursive: true });
  });
});

/** What s_client says of a connection that asks once. */
async function openssl(port: number, options: string[]): Promise<string> {
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options]);
  let said = '';
  client.stdout.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  client.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const closed = new Promise((resolve) => client.on('close', resolve));
  client.stdin.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  await closed;
  return said;
}
