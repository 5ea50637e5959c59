import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { proveTokens } from './refusals.ts';
import { backendBody } from './service.ts';
import { makeTokens, type TokenLot } from './tokens.ts';

const load = { connections: 1, paths: ['/a'] };
let folder: string;
let lot: TokenLot;
let server: Server | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-refusals-'));
  lot = await makeTokens(1, folder);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  server?.close();
});

/** A proxy that answers each request with the status that `judge` gives to its token. */
async function listen(judge: (token: string | undefined) => number): Promise<number> {
  const tokenOf = ({ headers }: IncomingMessage) => headers.authorization?.replace('Bearer ', '');
  server = createServer((request, reply) => {
    const status = judge(tokenOf(request));
    reply.writeHead(status).end(status === 200 ? backendBody : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test.each([401, 403])('a proxy that answers %d to all but good tokens is measured', async (no) => {
  const port = await listen((token) => (token === lot.spare ? 200 : no));
  await expect(proveTokens({ name: 'peer', port }, load, lot)).resolves.toBeUndefined();
});

test('a proxy that lets a request without a token through is not', async () => {
  const port = await listen((token) => (token === undefined || token === lot.spare ? 200 : 401));
  await expect(proveTokens({ name: 'peer', port }, load, lot)).rejects.toThrow(
    /Cannot measure "peer": a request without a token got status 200/,
  );
});

test('nor one that accepts any of the forgeries, or fails on it', async () => {
  for (const [fault, forged] of lot.forgeries) {
    for (const status of [200, 500]) {
      const port = await listen((token) =>
        token === forged ? status : token === lot.spare ? 200 : 401,
      );
      await expect(proveTokens({ name: 'peer', port }, load, lot)).rejects.toThrow(
        `a request with a token ${fault} got status ${status}`,
      );
      server?.close();
    }
  }
});

test('nor one that refuses everything', async () => {
  const port = await listen(() => 401);
  await expect(proveTokens({ name: 'peer', port }, load, lot)).rejects.toThrow(
    /status 401: , although the token was good/,
  );
});
