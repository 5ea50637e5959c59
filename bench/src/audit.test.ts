import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { audit, findCacheFault } from './audit.ts';
import type { Entrant, Load } from './scenario.ts';

describe('findCacheFault', () => {
  test.each([
    ['repeated', 1000, 16, true],
    ['repeated', 0, 0, false],
    ['repeated', 900, 100, false],
    ['fresh', 0, 1000, true],
    ['fresh', 1, 2000, true],
    ['fresh', 10, 1000, false],
  ] as const)('%s tokens, %d hits, %d misses', (kind, hits, misses, fine) => {
    expect(findCacheFault(kind, hits, misses) === undefined).toBe(fine);
  });
});

describe('audit', () => {
  const entrant: Entrant = {
    name: 'peer',
    peer: 'envoy',
    site: { routes: [] },
    refuses: ['bad token'],
  };
  const load: Load = { connections: 1, paths: ['/'], tokens: { count: 16, kind: 'repeated' } };
  let folder: string;
  let server: Server;
  let url: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-audit-'));
    server = createServer((_, reply) => reply.end('hits 10\nmisses 90\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/metrics`;
  });
  afterEach(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  test('refuses figures that a cache was, or was not, part of', async () => {
    const lane = { name: 'peer', tokenCache: { url, hits: 'hits', misses: 'misses' } };
    await expect(audit(lane, entrant, load, 100)).rejects.toThrow(
      'Cannot take the figures of "peer": its token cache counted 10 hits and 90 misses, although the tokens were few',
    );
    const fresh: Load = { ...load, tokens: { count: 16, kind: 'fresh' } };
    await expect(audit(lane, entrant, fresh, 100)).rejects.toThrow('although every token was new');
    const unguarded: Entrant = { name: 'peer', peer: 'envoy', site: { routes: [] } };
    await expect(audit(lane, unguarded, load, 100)).resolves.toBeUndefined();
  });

  test('refuses figures of requests that are not in the access log', async () => {
    const accessLog = join(folder, 'access.log');
    const lane = { name: 'peer', accessLog };
    await writeFile(accessLog, 'a\nb\n');
    await expect(audit(lane, entrant, load, 2)).resolves.toBeUndefined();
    await expect(audit(lane, entrant, load, 3)).rejects.toThrow('2 lines for 3 requests');
  });
});
