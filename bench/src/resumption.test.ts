import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCertificate } from './certificate.ts';
import type { SendLoad } from './load.ts';
import { proveResumption, resumedShare } from './resumption.ts';
import { readServerHello, type ServerHello } from './server-hello.ts';

const hello = (resumed: boolean, version = 0x0304): ServerHello => ({ version, resumed });

describe('resumedShare', () => {
  test.each([
    [[hello(false), hello(true), hello(true)], 1],
    [[hello(false), hello(true), hello(false), hello(true), hello(false)], 0.5],
  ])('case %#', (hellos, share) => {
    expect(resumedShare(hellos, 1)).toBe(share);
  });

  test('refuses other versions of TLS, and a load that never resumes', () => {
    expect(() => resumedShare([hello(true), hello(true, 0x0303)], 1)).toThrow(
      '1 of 2 connections were not of TLS 1.3',
    );
    expect(() => resumedShare([hello(false), hello(false)], 1)).toThrow(
      'none of 2 handshakes resumed a session',
    );
  });
});

describe('readServerHello', () => {
  test('waits for the whole record', () => {
    expect(readServerHello(Buffer.alloc(0))).toBeUndefined();
    expect(readServerHello(Buffer.from([22, 3, 3, 0, 90, 2]))).toBeUndefined();
  });

  test('refuses an alert', () => {
    expect(() => readServerHello(Buffer.from([21, 3, 3, 0, 2, 2, 40]))).toThrow('something else');
  });
});

describe('proveResumption', () => {
  let folder: string;
  let server: Server;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-resumption-'));
    const { certificate, key } = await createCertificate(folder);
    const [cert, secret] = await Promise.all([readFile(certificate), readFile(key)]);
    server = createServer({ cert, key: secret }, (socket) => {
      socket.on('error', () => socket.destroy()).on('data', () => socket.end('bye'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  /** Six connections, one after another, that offer the last session. */
  function sending(resume: boolean, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): SendLoad {
    return async (port) => {
      let session: Buffer | undefined;
      for (let turn = 0; turn < 6; turn += 1) {
        const socket = connect({
          port,
          rejectUnauthorized: false,
          maxVersion,
          ...(resume && session && { session }),
        });
        socket.on('session', (one) => {
          session = one;
        });
        socket.write('hello');
        socket.resume();
        await once(socket, 'close');
      }
      return { requests: 6, seconds: 1, rps: 6, p99Ms: 1, errors: [] };
    };
  }

  async function prove(send: SendLoad): Promise<string[]> {
    const notices: string[] = [];
    const scenario = { name: 'tls', load: { connections: 1, paths: ['/'] } };
    const { port } = server.address() as AddressInfo;
    await proveResumption(
      port,
      'peer',
      { send, scenario },
      (line) => notices.push(line),
      AbortSignal.timeout(10_000),
    );
    return notices;
  }

  test('takes a load that resumes sessions', async () => {
    expect(await prove(sending(true))).toEqual([]);
  });

  test('tells when few are resumed', async () => {
    const [whole, fresh] = [sending(true), sending(false)];
    const mixed: SendLoad = async (...args) => {
      await fresh(...args);
      return whole(...args);
    };
    expect(await prove(mixed)).toEqual(['tls peer: 45 % of handshakes resume a session']);
  });

  test('refuses a load that does not, and TLS 1.2', async () => {
    await expect(prove(sending(false))).rejects.toThrow(
      'Cannot measure "peer": none of 6 handshakes resumed a session',
    );
    await expect(prove(sending(true, 'TLSv1.2'))).rejects.toThrow('were not of TLS 1.3');
  });
});
