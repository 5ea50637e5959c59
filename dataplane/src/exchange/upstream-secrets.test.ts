import { describe, expect, it } from 'vitest';
import { createAuthority } from '../testing/authority.ts';
import { get } from '../testing/clients.ts';
import { statusOf } from '../testing/message.ts';
import { forwardRule } from '../testing/snapshot.ts';
import { expired, name, named, tlsUpstream } from '../testing/tls-upstream.ts';

const { made, clients, snapshot, start } = tlsUpstream();

describe('connections', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('are used again, and resumed, %s', async (version) => {
    const { backend } = await start(
      made.good,
      {},
      {},
      { minVersion: version, maxVersion: version },
    );
    for (let i = 0; i < 3; i++) expect(statusOf(await clients.ask())).toBe(200);
    expect(backend.connections).toBe(1);
    backend.answer = (_, response) => response.writeHead(200, { connection: 'close' }).end('ok');
    for (let i = 0; i < 3; i++) expect(statusOf(await clients.ask())).toBe(200);
    expect(backend.connections).toBe(3);
    expect(backend.resumed).toBe(2);
  });

  it('carry large bodies both ways while readers are slow', async () => {
    const { backend } = await start(made.good);
    backend.answer = (request, response) => request.pipe(response);
    const size = 8 * 1024 * 1024;
    const body = Buffer.alloc(size, 'x');
    const asker = await clients.connect();
    asker.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    asker.socket.write(body);
    const message = await asker.message();
    expect(message.body.equals(body)).toBe(true);
  });

  it('do not end with a change of the Secret: no request fails', async () => {
    const { backend, gateway } = await start(made.good);
    // So that there are handshakes all the time.
    backend.answer = (_, response) => response.writeHead(200, { connection: 'close' }).end('ok');
    const next = await createAuthority('CN=made.root 2');
    const renewed = await next.issue(`CN=${name}`, named);
    let running = true;
    let count = 0;
    const loop = async () => {
      const asker = await clients.connect();
      while (running) {
        asker.write(get);
        expect(statusOf(await asker.message())).toBe(200);
        count++;
      }
    };
    const loops = Promise.all([loop(), loop(), loop()]);
    const enough = async (more: number) => {
      const until = count + more;
      while (count < until) await new Promise((resolve) => setImmediate(resolve));
    };
    for (let turn = 0; turn < 3; turn++) {
      // First both are trusted, then the endpoints change, then the old authority goes.
      for (const ca of [
        `${made.root.cert}\n${next.cert}`,
        next.cert,
        `${made.root.cert}\n${next.cert}`,
        made.root.cert,
      ]) {
        if (ca === next.cert) backend.use(renewed);
        if (ca === made.root.cert) backend.use(made.good);
        await enough(20);
        await gateway.use(snapshot(backend.port, {}, { entries: { ca: { 'ca.crt': ca } } }));
        await enough(20);
      }
    }
    running = false;
    await loops;
    expect(backend.connections).toBeGreaterThan(12);
  });

  it('go on when another authority counts, new ones are judged by it', async () => {
    const { backend, gateway } = await start(made.good);
    expect(statusOf(await clients.ask())).toBe(200);
    await gateway.use(
      snapshot(backend.port, {}, { entries: { ca: { 'ca.crt': made.other.cert } } }),
    );
    expect(statusOf(await clients.ask())).toBe(200);
    expect(backend.connections).toBe(1);
    backend.answer = (_, response) => response.writeHead(200, { connection: 'close' }).end('ok');
    expect(statusOf(await clients.ask())).toBe(200);
    // Not even a session of before helps.
    expect(statusOf(await clients.ask())).toBe(502);
    expect(backend.resumed).toBe(0);
  });

  it('go from cleartext to TLS with the setting', async () => {
    const { backend, gateway } = await start(made.good);
    const plain = { rules: [forwardRule('up')], upstreams: { up: { endpoints: [backend] } } };
    expect(statusOf(await clients.ask())).toBe(200);
    await gateway.use(plain);
    expect(statusOf(await clients.ask())).not.toBe(200);
    await gateway.use(snapshot(backend.port));
    expect(statusOf(await clients.ask())).toBe(200);
  });
});

describe('a Secret that is no good', () => {
  it('does not take the place of authorities that are valid', async () => {
    const { backend, gateway } = await start(made.good);
    const { cert } = await createAuthority('CN=late', expired);
    const next = snapshot(backend.port, {}, { entries: { ca: { 'ca.crt': cert } } });
    await expect(gateway.use(next)).rejects.toThrow(/data\[.*ca.crt.*all authorities .* expired/);
    expect(statusOf(await clients.ask())).toBe(200);
  });

  it('does not take the place of a pair that is valid', async () => {
    const tls = { clientCertificate: 'client' };
    const { backend, gateway } = await start(made.good, tls, { secrets: { client: made.client } });
    const late = await made.root.issue('CN=gateway', expired);
    const next = snapshot(backend.port, tls, { secrets: { client: late } });
    await expect(gateway.use(next)).rejects.toThrow(/the certificate of .* expired/);
    expect(statusOf(await clients.ask())).toBe(200);
  });

  it('is refused when nothing can be made of it', async () => {
    const tls = { clientCertificate: 'client' };
    const { backend, gateway } = await start(made.good, tls, { secrets: { client: made.client } });
    const half = { cert: made.client.cert, key: '' };
    await expect(gateway.use(snapshot(backend.port, tls, { secrets: { client: half } })))
      .rejects // no key in it
      .toThrow(/cannot be used for TLS/);
    expect(statusOf(await clients.ask())).toBe(200);
  });

  it('is used when there was none before', async () => {
    const { cert } = await createAuthority('CN=late', expired);
    await start(made.good, {}, { entries: { ca: { 'ca.crt': cert } } });
    expect(statusOf(await clients.ask())).toBe(502);
  });
});
