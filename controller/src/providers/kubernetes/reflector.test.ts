import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { ApiServer } from './api-server.ts';
import { type Health, reflect, type Timing } from './reflector.ts';
import { type Raw, ScriptedApiServer } from './testing/scripted-api-server.ts';

const services = 'api/v1/services';
const path = '/api/v1/services';
const timing: Timing = { retry: { first: 1, most: 8 }, absent: 5, sound: 1000 };
let server: ScriptedApiServer;
let api: ApiServer;
const opened: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  server = new ScriptedApiServer(services);
  api = await server.listen();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  api.close();
  await server.close();
});

type Item = { name: string; version: string };
const item = (object: unknown): Item => {
  const { name, resourceVersion = '' } = (object as Raw).metadata;
  return { name, version: resourceVersion };
};

function start(query = {}) {
  const held = new Map<string, string>();
  const health: Health[] = [];
  const lists: number[] = [];
  const reflector = reflect<Item>({
    api,
    path,
    query,
    timing,
    onHealth: (next) => health.push(next),
    otherVersions: async () => others,
    sink: {
      read: item,
      replace(items) {
        lists.push(items.length);
        held.clear();
        for (const { name, version } of items) held.set(name, version);
      },
      change(changes) {
        for (const { type, item } of changes) {
          if (type === 'put') held.set(item.name, item.version);
          else held.delete(item.name);
        }
      },
    },
  });
  opened.push(reflector);
  return { held, health, lists };
}

let others: string[] = [];
afterEach(() => {
  others = [];
});

function truth(): Map<string, string> {
  return new Map(server.list(services).map((object) => [item(object).name, item(object).version]));
}
const put = (name: string) => server.put(services, { metadata: { name, namespace: 'a' } });
const gets = (what: (query: URLSearchParams) => boolean) =>
  server.seen.filter(({ query }) => what(query));

describe('a followed collection', () => {
  it('is listed page by page, then watched from there', async () => {
    server.pageSize = 3;
    for (let i = 0; i < 8; i++) put(`s${i}`);
    const { held, lists } = start();
    await vi.waitFor(() => expect(server.watches).toBe(1));
    expect(lists).toEqual([8]);
    put('s8');
    server.remove(services, 's0', 'a');
    put('s1');
    await vi.waitFor(() => expect(held).toEqual(truth()));
    expect(lists).toEqual([8]);
    const pages = gets((query) => !query.has('watch'));
    expect(pages).toHaveLength(3);
    expect(pages.every(({ query }) => query.get('limit') === '500')).toBe(true);
    expect(pages.some(({ query }) => query.has('resourceVersion'))).toBe(false);
  });

  it('is read in one piece when its pages become too old', async () => {
    server.pageSize = 2;
    for (let i = 0; i < 5; i++) put(`s${i}`);
    server.fault = ({ query }) => {
      if (query.has('continue')) server.compact();
      return undefined;
    };
    const { lists } = start();
    await vi.waitFor(() => expect(lists).toEqual([5]));
    expect(gets((query) => !query.has('limit') && !query.has('watch'))).toHaveLength(1);
  });

  it.each([true, false])('goes on where it was when watches end (in order: %s)', async (order) => {
    put('a');
    const { held, lists } = start();
    await vi.waitFor(() => expect(server.watches).toBe(1));
    for (const name of ['b', 'c', 'd']) {
      server.cut(order);
      put(name);
      await vi.waitFor(() => expect(held).toEqual(truth()));
      await vi.waitFor(() => expect(server.watches).toBe(1));
    }
    expect(lists).toEqual([1]);
  });

  it('goes on from a bookmark, so that a quiet collection is not listed again', async () => {
    server.install('api/v1/secrets');
    put('a');
    const { lists, held } = start();
    await vi.waitFor(() => expect(server.watches).toBe(1));
    // The last version of the collection itself is forgotten, that of the bookmark is not.
    server.put('api/v1/secrets', { metadata: { name: 'other' } });
    server.bookmark();
    server.compact();
    await vi.waitFor(() => expect(server.seen.length).toBeGreaterThan(1));
    await new Promise((resolve) => setImmediate(resolve));
    server.cut(true);
    await vi.waitFor(() => expect(gets((query) => query.has('watch'))).toHaveLength(2));
    put('b');
    await vi.waitFor(() => expect(held).toEqual(truth()));
    expect(lists).toEqual([1]);
  });

  it('is listed again when what happened since is forgotten, and keeps all until then', async () => {
    put('a');
    put('b');
    const { held, lists } = start();
    await vi.waitFor(() => expect(server.watches).toBe(1));
    for (let round = 0; round < 2; round++) {
      let lost = true;
      server.fault = ({ query }) => (lost && !query.has('watch') ? { status: 500 } : undefined);
      const before = new Map(held);
      server.cut(false);
      server.remove(services, 'a', 'a');
      put('c');
      put('d');
      server.compact();
      const failed = () => gets((query) => !query.has('watch')).length;
      const sofar = failed();
      await vi.waitFor(() => expect(failed()).toBeGreaterThan(sofar + 1));
      expect([...before.keys()].every((name) => held.has(name))).toBe(true);
      lost = false;
      await vi.waitFor(() => expect(held).toEqual(truth()));
      put('a');
      await vi.waitFor(() => expect(held).toEqual(truth()));
    }
    expect(lists.length).toBeGreaterThanOrEqual(3);
  });

  it('waits as long as it is told to', async () => {
    let refused = 0;
    server.fault = () => (refused++ === 0 ? { status: 429, retryAfter: 1 } : undefined);
    const started = performance.now();
    const { health } = start();
    await vi.waitFor(() => expect(health).toEqual([{ state: 'current' }]), 5000);
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  it('asks only for what is selected', async () => {
    put('a');
    put('b');
    const { held } = start({ fieldSelector: 'metadata.name=b' });
    await vi.waitFor(() => expect([...held.keys()]).toEqual(['b']));
    put('a');
    server.remove(services, 'b', 'a');
    await vi.waitFor(() => expect(held.size).toBe(0));
  });
});

describe('what cannot be read', () => {
  it('is named once and read as soon as it can be', async () => {
    let status: number | undefined = 403;
    server.fault = () => (status === undefined ? undefined : { status, message: 'no' });
    const { health, held } = start();
    await vi.waitFor(() => expect(server.seen.length).toBeGreaterThan(3));
    status = 404;
    const sofar = server.seen.length;
    await vi.waitFor(() => expect(server.seen.length).toBeGreaterThan(sofar + 3));
    status = undefined;
    put('a');
    await vi.waitFor(() => expect(held).toEqual(truth()));
    expect(health).toEqual([
      { state: 'forbidden', verb: 'list', reason: 'no' },
      { state: 'absent', verb: 'list', reason: 'no' },
      { state: 'current' },
    ]);
  });

  it('is not called absent when it is there in another version', async () => {
    let status: number | undefined = 404;
    server.fault = () => (status === undefined ? undefined : { status });
    others = ['v2'];
    const { health } = start();
    const moved = { state: 'moved', verb: 'list', versions: ['v2'] };
    await vi.waitFor(() => expect(health).toEqual([moved]));
    others = [];
    await vi.waitFor(() => expect(health.at(-1)?.state).toBe('absent'));
    status = undefined;
    await vi.waitFor(() => expect(health.at(-1)?.state).toBe('current'));
  });

  it('may be missing for a moment without a word', async () => {
    let once = true;
    server.fault = () => {
      const first = once;
      once = false;
      return first ? { status: 404 } : undefined;
    };
    const { health } = start();
    await vi.waitFor(() => expect(health).toEqual([{ state: 'current' }]));
  });

  it('is read by lists alone when it may not be watched', async () => {
    server.fault = ({ query }) => (query.has('watch') ? { status: 403 } : undefined);
    const { held, health } = start();
    await vi.waitFor(() => expect(health.at(-1)).toMatchObject({ verb: 'watch' }));
    put('a');
    await vi.waitFor(() => expect(held).toEqual(truth()));
  });

  it('is called failing when it fails twice', async () => {
    let failures = 3;
    server.fault = () => (failures-- > 0 ? { cutAfter: 3 } : undefined);
    const { health } = start();
    await vi.waitFor(() => expect(health.at(-1)).toEqual({ state: 'current' }));
    expect(health.map(({ state }) => state)).toEqual(['failing', 'current']);
  });
});

type Step =
  | { do: 'put' | 'remove'; name: string }
  | { do: 'cut'; inOrder: boolean }
  | { do: 'compact' | 'bookmark' | 'pause' }
  | { do: 'fail'; times: number; fault: { status: number } | { cutAfter: number } };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), name: names() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name: names() }) },
  fc.record({ do: fc.constant('cut' as const), inOrder: fc.boolean() }),
  fc.record({ do: fc.constantFrom('compact' as const, 'bookmark' as const, 'pause' as const) }),
  fc.record({
    do: fc.constant('fail' as const),
    times: fc.integer({ min: 1, max: 3 }),
    fault: fc.oneof(
      fc.record({ status: fc.constantFrom(403, 404, 410, 429, 500, 503) }),
      fc.record({ cutAfter: fc.integer({ min: 0, max: 200 }) }),
    ),
  }),
);

function names() {
  return fc.constantFrom('a', 'b', 'c', 'd', 'e');
}

test('whatever fails, in the end the objects are those of the server', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { held } = start();
      server.pageSize = 2;
      let faults: { status?: number; cutAfter?: number }[] = [];
      server.fault = () => faults.shift() as { status: number } | undefined;
      for (const one of steps) {
        if (one.do === 'put') put(one.name);
        else if (one.do === 'remove') server.remove(services, one.name, 'a');
        else if (one.do === 'cut') server.cut(one.inOrder);
        else if (one.do === 'compact') server.compact();
        else if (one.do === 'bookmark') server.bookmark();
        else if (one.do === 'fail') faults.push(...Array(one.times).fill(one.fault));
        else await new Promise((resolve) => setTimeout(resolve, 3));
      }
      faults = faults.slice(0, 4);
      await vi.waitFor(() => expect(held).toEqual(truth()), { timeout: 5000, interval: 2 });
      await Promise.all(opened.splice(0).map((one) => one.close()));
    }),
    { numRuns: 60 },
  );
}, 60_000);
