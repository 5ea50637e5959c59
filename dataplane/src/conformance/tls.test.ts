import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { createCertificate } from '../testing/certificate.ts';
import { connectSecurely, connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';

let backend: RawBackend;
let gateway: TestGateway;

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine';

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend, {
    listeners: [
      { name: 'shop', hostname: 'shop.example.com', certificates: ['shop'] },
      { name: 'any', hostname: '*.example.com', certificates: ['wild', 'shop'] },
      { name: 'rest', certificates: ['rest'], trustedHops: 0 },
    ],
    secrets: {
      shop: createCertificate('shop.example.com'),
      wild: createCertificate('*.example.com'),
      rest: createCertificate('rest.test'),
    },
    limits: { headTimeout: 300 },
  });
});
beforeEach(() => {
  backend.reset();
  backend.script = answering(fine);
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

describe('an HTTPS port', () => {
  it.each([
    ['shop.example.com', 'shop.example.com'],
    ['SHOP.example.com', 'shop.example.com'],
    ['other.example.com', '*.example.com'],
    ['unknown.test', 'rest.test'],
    ['rest.test', 'rest.test'],
  ])('shows for %s the certificate of %s', async (servername, subject) => {
    const client = await connectSecurely(gateway.port, { servername });
    expect(client.peerName).toBe(subject);
    client.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\n\r\n`);
    expect(statusOf(await client.message())).toBe(200);
    expect(backend.requests[0]!.head).toContain(
      `\r\nx-forwarded-proto: https\r\nx-forwarded-host: ${servername}\r\n`,
    );
    client.socket.destroy();
  });

  it('shows some certificate to a client without SNI', async () => {
    const client = await connectSecurely(gateway.port);
    expect(client.peerName).not.toBe('');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(statusOf(await client.message())).toBe(200);
    client.socket.destroy();
  });

  it.each(['TLSv1.1', 'TLSv1'] as const)('refuses %s', async (version) => {
    const old = connectSecurely(gateway.port, {
      servername: 'shop.example.com',
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await expect(old).rejects.toThrow(/protocol version|alert|disconnected|ECONNRESET/);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('takes %s', async (version) => {
    const client = await connectSecurely(gateway.port, {
      servername: 'shop.example.com',
      minVersion: version,
      maxVersion: version,
    });
    client.write('GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n');
    expect(statusOf(await client.message())).toBe(200);
    client.socket.destroy();
  });

  it('closes on plain HTTP', async () => {
    const client = await connectTo(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.close()).toMatch(/end|ECONNRESET/);
    expect(backend.requests).toHaveLength(0);
    client.end();
  });

  it('closes on a handshake that does not end', async () => {
    const client = await connectTo(gateway.port);
    client.write('\x16\x03\x01');
    expect(await client.close()).toMatch(/end|ECONNRESET/);
    client.end();
  });

  it('survives clients that reset in the handshake and behind it', async () => {
    const half = await connectTo(gateway.port);
    half.write('\x16\x03\x01');
    half.reset();
    const whole = await connectSecurely(gateway.port, { servername: 'rest.test' });
    whole.write('GET / HTTP/1.1\r\nHo');
    whole.socket.destroy();
    const client = await connectSecurely(gateway.port, { servername: 'rest.test' });
    client.write('GET / HTTP/1.1\r\nHost: rest.test\r\n\r\n');
    expect(statusOf(await client.message())).toBe(200);
    client.socket.destroy();
  });

  it.each(['end', 'reset'] as const)(
    'tells by a cut connection that a response broke off (%s)',
    async (how) => {
      backend.script = {
        connection: async (peer) => {
          await peer.head();
          peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234');
          if (how === 'end') peer.end();
          else setTimeout(() => peer.reset(), 20);
        },
      };
      const client = await connectSecurely(gateway.port, { servername: 'rest.test' });
      client.write('GET / HTTP/1.1\r\nHost: rest.test\r\n\r\n');
      expect(await client.close()).toMatch(/end|ECONNRESET/);
      expect(client.all).toMatch(/01234$/);
    },
  );

  it('closes in order behind a refused request', async () => {
    const client = await connectSecurely(gateway.port, { servername: 'rest.test' });
    client.write('GET / HTTP/1.1\r\n\r\n');
    expect(statusOf(await client.message())).toBe(400);
    expect(await client.close()).toBe('end');
    client.socket.destroy();
  });

  it('passes a long body on both ways', async () => {
    const body = Buffer.alloc(3_000_000, 'y');
    backend.script = {
      request: (request, peer) => {
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n\r\n`);
        peer.write(request.body);
      },
    };
    const client = await connectSecurely(gateway.port, { servername: 'rest.test' });
    client.write(`POST / HTTP/1.1\r\nHost: rest.test\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.write(body);
    expect((await client.message()).body.equals(body)).toBe(true);
    client.socket.destroy();
  });
});
