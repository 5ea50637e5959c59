import { type AddressInfo, createServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readClientHello } from './client-hello.ts';

/** What a client of this Node sends first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const first = new Promise<Buffer>((resolve) =>
    server.once('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
      });
    }),
  );
  const client = connect({ port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined);
  const bytes = await first;
  client.destroy();
  server.close();
  return bytes;
}

/** The same message in records of at most so many bytes. */
function inRecords(hello: Buffer, most: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 5; at < hello.length; at += most) {
    const part = hello.subarray(at, Math.min(at + most, hello.length));
    parts.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(parts);
}

let hello: Buffer;
beforeAll(async () => {
  hello = await helloOf({ servername: 'Shop.Example.com' });
});

describe('a ClientHello', () => {
  const named = { serverName: 'Shop.Example.com', speaks13: true, ticketKey: undefined };

  it('says which name and versions the client wants', async () => {
    expect(readClientHello(hello)).toEqual(named);
    const old = await helloOf({ servername: 'a.test', maxVersion: 'TLSv1.2' });
    expect(readClientHello(old)).toEqual({ ...named, serverName: 'a.test', speaks13: false });
    expect(readClientHello(await helloOf({}))).toEqual({ ...named, serverName: '' });
  });

  it('is incomplete until its last byte', () => {
    for (let length = 0; length < hello.length; length++) {
      expect(readClientHello(hello.subarray(0, length))).toBe('incomplete');
    }
  });

  it('may come in many records, of which there may be too many', () => {
    expect(readClientHello(inRecords(hello, 100))).toEqual(named);
    expect(readClientHello(inRecords(hello, 1))).toBe('malformed');
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ['another message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a version that is none', Buffer.from([22, 4])],
    ['a record that is too long', Buffer.from([22, 3, 1, 255, 255])],
    ['a message that is too long', Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])],
    ['an empty message', Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0])],
  ])('is not %s', (_, bytes) => {
    expect(readClientHello(bytes)).toBe('malformed');
  });

  it('may be anything: nothing throws, nothing hangs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const record = Buffer.concat([
          Buffer.from([22, 3, 1, bytes.length >> 8, bytes.length & 255]),
          bytes,
        ]);
        readClientHello(Buffer.from(bytes));
        readClientHello(record);
      }),
    );
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(hello);
        changed[at] = value;
        const read = readClientHello(changed);
        if (typeof read !== 'string') expect(read.serverName.length).toBeLessThan(hello.length);
      }),
    );
  });
});
