import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnyObject, validateObject } from '@gatehouse/crds';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStore, type Store } from '../../store/store.ts';
import { type NameServer, startNameServer } from '../dns/testing/name-server.ts';
import { type Discovery, discover } from './index.ts';

const retry = { first: 5, most: 20 };
const timing = {
  consul: { refresh: 30_000, gap: 1, poll: 5, patience: 1000, retry },
  dns: { timeout: 500, retry },
};

let store: Store;
let server: NameServer;
let discovery: Discovery;
const lines: string[] = [];
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  lines.length = 0;
  store = createStore();
  server = await startNameServer();
  know('users.internal', '10.0.0.1');
});
afterEach(async () => {
  await discovery.close();
  for (const close of closing.splice(0)) await close();
  await server.close();
});

function start(times = timing) {
  const log = (text: string) => void lines.push(text);
  discovery = discover({ store, log: { info: log, warn: log } as never, timing: times });
}

/** A name leads to these addresses and to no others. */
function know(name: string, ...addresses: string[]) {
  const others = server.records.filter((record) => record.name !== name);
  const own = addresses.map((data) => ({ type: 'A' as const, name, ttl: 1, data }));
  server.records.splice(0, Number.POSITIVE_INFINITY, ...others, ...own);
}

function sound(kind: string, name: string, fields: object): AnyObject {
  const apiVersion = kind === 'Secret' ? 'v1' : 'gatehouse.dev/v1alpha1';
  const metadata = { name, namespace: 'shop' };
  const validated = validateObject({ apiVersion, kind, metadata, ...fields });
  if ('object' in validated) return validated.object;
  throw new Error(JSON.stringify(validated.problems));
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const upstream = (endpoints: object, name = 'users') =>
  sound('Upstream', name, { spec: { endpoints } });
const dns = (name = 'users.internal') =>
  upstream({ dns: { name, port: 80, resolvers: [server.address], minTtl: '1s' } });
const held = (name = 'users') => {
  const object = store.get(`Discovery/shop/${name}`);
  return object?.kind === 'Discovery' ? object : undefined;
};
const addresses = (name?: string) => held(name)?.endpoints?.map(({ address }) => address);
const faults = () =>
  held()
    ?.mistakes.map(({ path, reason }) => `${path}: ${reason}`)
    .join();

describe('Upstreams whose endpoints are discovered', () => {
  it('have their list in the store as long as they are there', async () => {
    store.apply({
      put: [dns(), upstream({ static: [{ address: '10.9.9.9', port: 1 }] }, 'fixed')],
    });
    start();
    await discovery.begun(5000);
    expect(addresses()).toEqual(['10.0.0.1']);
    expect(held('fixed')).toBeUndefined();
    store.apply({
      put: [
        upstream({ dns: { name: 'more.internal', port: 81, resolvers: [server.address] } }, 'more'),
      ],
    });
    know('more.internal', '10.0.0.7');
    await eventually(() => expect(addresses('more')).toEqual(['10.0.0.7']));
    store.apply({ remove: ['Upstream/shop/users'] });
    expect(held()).toBeUndefined();
    expect(held('more')).toBeDefined();
    store.apply({ put: [upstream({ static: [{ address: '10.9.9.9', port: 1 }] }, 'more')] });
    expect(held('more')).toBeUndefined();
  });

  it('keep it while their source fails, and tell so once', async () => {
    store.apply({ put: [dns()] });
    start();
    await discovery.begun(5000);
    know('users.internal');
    await eventually(() => expect(held()?.stale).toBe(true));
    expect(addresses()).toEqual(['10.0.0.1']);
    expect(faults()).toContain('"users.internal" does not exist (NXDOMAIN)');
    await eventually(() => expect(discovery.view()[0]?.failures).toBeGreaterThan(2));
    know('users.internal', '10.0.0.1', '10.0.0.2');
    await eventually(() => expect(held()?.stale).toBe(false));
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(lines).toEqual([
      expect.stringMatching(
        /^Cannot discover endpoints of Upstream "shop\/users": spec\.endpoints\.dns\.name: .*; the last list stays$/,
      ),
      'Endpoints of Upstream "shop/users" are known again',
    ]);
  });

  it('do not tell what is over a moment later', async () => {
    store.apply({ put: [dns()] });
    start({ ...timing, dns: { timeout: 500, retry: { first: 60_000, most: 60_000 } } });
    await discovery.begun(5000);
    server.troubles.set('users.internal', 'SERVFAIL');
    await eventually(() => expect(discovery.view()[0]?.failures).toBe(1));
    expect(held()).toMatchObject({ mistakes: [], stale: false });
    expect(lines).toEqual([]);
  });

  it('keep it when another source is named, until that has an answer', async () => {
    store.apply({ put: [dns()] });
    start();
    await discovery.begun(5000);
    store.apply({ put: [dns('later.internal')] });
    expect(held()).toMatchObject({
      mistakes: [],
      stale: false,
      note: expect.stringContaining('of before'),
    });
    await eventually(() => expect(faults()).toContain('"later.internal" does not exist'));
    expect(addresses()).toEqual(['10.0.0.1']);
    know('later.internal', '10.0.0.5');
    await eventually(() => expect(addresses()).toEqual(['10.0.0.5']));
  });

  it('say from the beginning that nothing is known', async () => {
    server.troubles.set('users.internal', 'SERVFAIL');
    store.apply({ put: [dns()] });
    start();
    await discovery.begun(5000);
    expect(held()).toMatchObject({ endpoints: undefined, stale: true });
    expect(discovery.view()).toEqual([
      {
        namespace: 'shop',
        name: 'users',
        source: 'dns',
        endpoints: undefined,
        answers: 0,
        failures: expect.any(Number),
        lastAnswer: undefined,
      },
    ]);
  });

  it('are waited for no longer than that', async () => {
    server.troubles.set('users.internal', 'silence');
    store.apply({ put: [dns()] });
    start();
    await discovery.begun(1);
    expect(held()).toBeUndefined();
  });
});

describe('a token for Consul', () => {
  const secret = (token: string) => sound('Secret', 'consul', { stringData: { token } });

  it('is that of the Secret as it is now, and without one nobody is asked', async () => {
    const tokens: (string | string[] | undefined)[] = [];
    const consul = createServer((request, response) => {
      tokens.push(request.headers['x-consul-token']);
      if (request.url?.includes('index=')) return;
      response.setHeader('x-consul-index', '7').setHeader('content-type', 'application/json');
      const Node = { Node: 'n', Address: '10.0.0.1' };
      response.end(JSON.stringify([{ Node, Service: { ID: 'a', Port: tokens.length } }]));
    }).listen(0, '127.0.0.1');
    await once(consul, 'listening');
    closing.push(() => {
      consul.closeAllConnections();
      consul.close();
    });
    const address = `http://127.0.0.1:${(consul.address() as AddressInfo).port}`;
    const tokenSecretRef = { name: 'consul' };
    store.apply({ put: [upstream({ consul: { address, service: 'users', tokenSecretRef } })] });
    start();
    await discovery.begun(5000);
    expect(held()).toBeUndefined();
    store.apply({ put: [secret('first')] });
    await eventually(() => expect(addresses()).toEqual(['10.0.0.1']));
    store.apply({ put: [secret('second')] });
    await eventually(() => expect(tokens).toContain('second'));
    store.apply({ remove: ['Secret/shop/consul'] });
    expect(addresses()).toEqual(['10.0.0.1']);
    expect(new Set(tokens)).toEqual(new Set(['first', 'second']));
    expect(JSON.stringify([lines, held()])).not.toMatch(/first|second/);
  });
});
