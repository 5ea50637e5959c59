import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { EndpointsSchema, Kind } from '@gatehouse/snapshot';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startNameServer } from './providers/dns/testing/name-server.ts';
import { bareDataPlane } from './push/testing/bare-data-plane.ts';
import { run } from './run.ts';

const token = 'a-token-of-the-fleet';
const opened: { close(): unknown }[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'discovery-'));
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
  await rm(folder, { recursive: true, force: true });
});

function opens<T extends { close(): unknown }>(one: T): T {
  opened.push(one);
  return one;
}

const resources = (nameServer: string) => `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: users }
spec: { rules: [{ name: all, backends: [{ kind: Upstream, name: users }] }] }
---
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: users }
spec: { endpoints: { dns: { name: users.internal, port: 80, resolvers: ["${nameServer}"], minTtl: 1s } } }
`;

it('endpoints by name are in the first snapshot, follow changes and are counted', async () => {
  const record = (data: string) => ({ type: 'A' as const, name: 'users.internal', ttl: 1, data });
  const server = opens(await startNameServer([record('10.0.0.1')]));
  await writeFile(join(folder, 'all.yaml'), resources(server.address));
  const running = opens(
    await run(
      {
        configFolder: folder,
        grpcHost: '127.0.0.1',
        grpcPort: 0,
        adminHost: '127.0.0.1',
        adminPort: 0,
        token,
        tls: undefined,
        caOut: join(folder, 'ca.pem'),
        httpPort: undefined,
        logLevel: 'silent',
      },
      {
        log: pino({ level: 'silent' }),
        onProblems: () => undefined,
        onSummary: () => undefined,
      },
    ),
  );
  const ca = await readFile(join(folder, 'ca.pem'), 'utf8');
  const dataPlane = opens(bareDataPlane({ port: running.grpcPort, ca }, token));
  dataPlane.send({ case: 'hello', value: { node: 'dp-1', zone: '', release: '1' } });

  /** The addresses of the next update that has some, of either lane. */
  async function nextAddresses(): Promise<string[]> {
    for (;;) {
      const { lane, version, put } = await dataPlane.next();
      dataPlane.send({ case: 'ack', value: { lane, version } });
      const lists = put.filter(({ kind }) => kind === Kind.ENDPOINTS);
      if (lists.length === 0) continue;
      return lists.flatMap(({ body }) =>
        fromBinary(EndpointsSchema, body).endpoints.map(({ address }) => address),
      );
    }
  }

  expect(await nextAddresses()).toEqual(['10.0.0.1']);
  server.records.push(record('10.0.0.2'));
  expect(await nextAddresses()).toEqual(['10.0.0.1', '10.0.0.2']);
  const metrics = async () => (await fetch(`http://127.0.0.1:${running.adminPort}/metrics`)).text();
  const labels = '{namespace="default",upstream="users",source="dns"}';
  expect(await metrics()).toContain(`gatehouse_discovery_endpoints${labels} 2\n`);
  expect(await metrics()).toContain(`gatehouse_discovery_failures_total${labels} 0\n`);
  server.records.splice(0);
  await vi.waitFor(
    async () => expect(await metrics()).toMatch(/failures_total\{[^}]*source="dns"\} [1-9]/),
    10_000,
  );
  expect(await metrics()).toContain(`gatehouse_discovery_endpoints${labels} 2\n`);
});
