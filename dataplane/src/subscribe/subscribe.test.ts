import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import {
  EndpointsSchema,
  emptySet,
  type Hello,
  hex,
  Kind,
  keyOf,
  Lane,
  manifestOf,
  type Nack,
  type Resource,
  type ResourceSet,
  RouteSchema,
  resourceOf,
  versionOf,
} from '@gatehouse/snapshot';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Apply } from './lanes.ts';
import { type SubscribeOptions, subscribe } from './subscribe.ts';
import { testCertificate, testController, updateOf } from './testing/controller.ts';

const pem = await testCertificate();
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
function opens<T extends { close(): Promise<void> }>(one: T): T {
  opened.push(one);
  return one;
}

const route = (name: string, created: number) =>
  resourceOf(Kind.ROUTE, name, RouteSchema, create(RouteSchema, { created: BigInt(created) }));
const ends = (name: string) =>
  resourceOf(Kind.ENDPOINTS, name, EndpointsSchema, create(EndpointsSchema));
const setOf = (...resources: Resource[]): ResourceSet =>
  new Map(resources.map((resource) => [keyOf(resource.kind, resource.name), resource]));
const one = setOf(route('a', 1));
const two = setOf(route('a', 2), route('b', 1));
const claims = ({ held }: Hello) => held.map(({ name, hash }) => [name, hex(hash)]);

/** An `apply` that takes everything and remembers what it was given. */
function recorder() {
  const applied: { lane: Lane; next: ResourceSet; put: string[]; remove: string[] }[] = [];
  const apply = vi.fn<Apply>(async (lane, next, { put, remove }) => {
    applied.push({ lane, next, put: put.map(({ name }) => name), remove });
    return { ok: true };
  });
  return { applied, apply };
}

const fast = { first: 1, most: 5 };
function subscribes(url: string, options: Partial<SubscribeOptions> & { apply: Apply }) {
  const rest = { token: 'token', ca: pem.cert, node: 'dp', zone: 'z', release: '1', backOff: fast };
  return opens(subscribe({ url, ...rest, ...options }));
}

async function stage(options: Partial<SubscribeOptions> = {}) {
  const controller = opens(await testController(pem));
  const { applied, apply } = recorder();
  const subscription = subscribes(controller.url, { apply, ...options });
  return { controller, applied, apply, subscription };
}

describe('an update', () => {
  test('is applied and acknowledged, lane by lane', async () => {
    const { controller, applied, subscription } = await stage();
    const stream = await controller.stream();
    expect(stream.hello).toMatchObject({ node: 'dp', zone: 'z', release: '1', held: [] });
    expect(stream.authorization).toBe('Bearer token');
    for (const [lane, set] of [
      [Lane.ENDPOINTS, setOf(ends('u'))],
      [Lane.CONFIG, one],
    ] as const) {
      stream.send(updateOf(lane, undefined, set));
      expect(await stream.answer()).toMatchObject({
        $typeName: 'gatehouse.snapshot.v1.Ack',
        lane,
        version: versionOf(set),
      });
    }
    stream.send(updateOf(Lane.CONFIG, one, setOf(route('b', 1))));
    await stream.answer();
    expect(applied.map(({ lane, put, remove }) => [lane, put, remove])).toEqual([
      [Lane.ENDPOINTS, ['u'], []],
      [Lane.CONFIG, ['a'], []],
      [Lane.CONFIG, ['b'], [keyOf(Kind.ROUTE, 'a')]],
    ]);
    expect(subscription.state()).toMatchObject({
      connected: true,
      current: true,
      configVersion: versionOf(setOf(route('b', 1))),
      lastError: undefined,
    });
  });

  test('with nothing in it is applied the first time, then only acknowledged', async () => {
    const { controller, apply } = await stage();
    const stream = await controller.stream();
    for (let n = 0; n < 2; n++) {
      stream.send(updateOf(Lane.CONFIG, undefined, emptySet));
      await stream.answer();
    }
    expect(apply).toHaveBeenCalledTimes(1);
  });

  test('waits until the one before it was applied', async () => {
    const slow = Promise.withResolvers<void>();
    const apply = vi.fn<Apply>(async () => {
      await slow.promise;
      return { ok: true };
    });
    const { controller } = await stage({ apply });
    const stream = await controller.stream();
    stream.send(updateOf(Lane.ENDPOINTS, undefined, setOf(ends('u'))));
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await vi.waitFor(() => expect(apply).toHaveBeenCalledTimes(1));
    slow.resolve();
    expect((await stream.answer()).lane).toBe(Lane.ENDPOINTS);
    expect((await stream.answer()).lane).toBe(Lane.CONFIG);
  });

  test('that was altered on its way is refused, the old set stays, and it is asked for whole', async () => {
    const { controller, applied, subscription } = await stage();
    const stream = await controller.stream();
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await stream.answer();
    const altered = updateOf(Lane.CONFIG, one, two);
    altered.put[0] = { ...altered.put[0]!, body: new Uint8Array([8, 3]) };
    stream.send(altered);
    expect(await stream.answer()).toMatchObject({ resend: true, version: versionOf(two) });
    expect(subscription.state()).toMatchObject({ configVersion: versionOf(one), refused: 1 });
    expect(applied).toHaveLength(1);
    stream.send(updateOf(Lane.CONFIG, undefined, two));
    await stream.answer();
    expect(manifestOf(applied.at(-1)!.next)).toEqual(manifestOf(two));
  });

  test('that does not link is refused with the reasons, and the next builds on the old set', async () => {
    const refusals = [{ kind: Kind.ROUTE, name: 'a', path: 'rules[0]', reason: 'no' }];
    const { apply, applied } = recorder();
    const { controller, subscription } = await stage({ apply });
    const stream = await controller.stream();
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await stream.answer();
    apply.mockResolvedValueOnce({ ok: false, refusals });
    stream.send(updateOf(Lane.CONFIG, one, two));
    const nack = (await stream.answer()) as Nack;
    expect(nack).toMatchObject({ resend: false, refusals });
    expect(subscription.state().lastError).toBe('a: rules[0] no');
    const rest = setOf(route('a', 1), route('b', 1));
    stream.send(updateOf(Lane.CONFIG, one, rest));
    await stream.answer();
    expect(manifestOf(applied.at(-1)!.next)).toEqual(manifestOf(rest));
  });

  test('that makes apply throw is refused as a whole and the stream goes on', async () => {
    const { apply } = recorder();
    const error = vi.fn();
    const { controller, subscription } = await stage({
      apply,
      log: { info: vi.fn(), warn: vi.fn(), error },
    });
    const stream = await controller.stream();
    apply.mockRejectedValueOnce(new Error('a bug'));
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    expect(await stream.answer()).toMatchObject({ resend: false, refusals: [] });
    expect(subscription.state().lastError).toMatch('a bug');
    expect(error).toHaveBeenCalledTimes(1);
    stream.send(updateOf(Lane.CONFIG, undefined, two));
    expect(await stream.answer()).toMatchObject({ version: versionOf(two) });
    expect(subscription.state().lastError).toBeUndefined();
  });

  test('on a lane of a newer release is refused and the stream goes on', async () => {
    const { controller } = await stage();
    const stream = await controller.stream();
    stream.send({ ...updateOf(Lane.CONFIG, undefined, one), lane: 9 as Lane });
    expect(await stream.answer()).toMatchObject({ lane: 9, resend: false, refusals: [] });
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    expect(await stream.answer()).toMatchObject({ lane: Lane.CONFIG });
  });
});

describe('a lost stream', () => {
  test.each([Code.Unavailable, Code.Internal, Code.DeadlineExceeded, Code.Aborted])(
    'is opened again after code %i, with what is in use',
    async (code) => {
      const { controller, subscription } = await stage();
      const first = await controller.stream();
      first.send(updateOf(Lane.CONFIG, undefined, two));
      await first.answer();
      first.end(code);
      const second = await controller.stream();
      expect(claims(second.hello)).toEqual([...two.values()].map((r) => [r.name, hex(r.hash)]));
      expect(subscription.state()).toMatchObject({ connected: false, current: false });
    },
  );

  test('by a controller that restarts is opened again', async () => {
    const { controller, applied, subscription } = await stage();
    const first = await controller.stream();
    first.send(updateOf(Lane.CONFIG, undefined, one));
    await first.answer();
    await controller.close();
    await vi.waitFor(() => expect(subscription.state().lastError).toMatch('ECONNREFUSED'));
    const again = opens(await testController(pem, controller.port));
    const second = await again.stream();
    second.send(updateOf(Lane.CONFIG, one, two));
    await second.answer();
    expect(manifestOf(applied.at(-1)!.next)).toEqual(manifestOf(two));
  });

  test('presents the token of that moment', async () => {
    let n = 0;
    const { controller } = await stage({ token: async () => `token-${++n}` });
    const first = await controller.stream();
    first.end(Code.Unavailable);
    const second = await controller.stream();
    expect([first.authorization, second.authorization]).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });

  test('that fell silent is noticed', async () => {
    const controller = opens(await testController(pem));
    // A wire that can be cut without either side being told.
    let silence = () => {};
    const wire = createServer((near) => {
      const far = connectTcp(controller.port, '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const end of [near, far]) end.on('error', () => end.destroy());
      silence = () => far.unpipe(near);
      lost = new Promise((resolve) => near.once('close', resolve));
    });
    let lost: Promise<unknown> = Promise.resolve();
    await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
    opens({ close: () => new Promise<void>((resolve) => wire.close(() => resolve())) });
    const { port } = wire.address() as AddressInfo;
    const pings = { interval: 30, timeout: 30 };
    const subscription = subscribes(`https://127.0.0.1:${port}`, { ...recorder(), pings });
    const stream = await controller.stream();
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await stream.answer();
    const cut = lost;
    silence();
    await cut;
    await vi.waitFor(() => expect(subscription.state().connected).toBe(false));
  });

  test('is told in the log once, not at every attempt', async () => {
    const warn = vi.fn();
    const token = vi.fn(() => 'token');
    subscribes('https://127.0.0.1:1', {
      ...recorder(),
      token,
      log: { info: vi.fn(), warn, error: vi.fn() },
    });
    await vi.waitFor(() => expect(token.mock.calls.length).toBeGreaterThan(5));
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('to a controller with a foreign certificate never gets a token', async () => {
    const controller = opens(await testController(pem));
    const { cert } = await testCertificate();
    const subscription = subscribes(controller.url, { ...recorder(), ca: cert });
    await vi.waitFor(() => expect(subscription.state().lastError).toMatch(/certificate|signature/));
  });
});

describe('what is held', () => {
  const held = { config: one, endpoints: setOf(ends('u')) };

  test('is claimed, and put in use by the first update though it changes nothing', async () => {
    const { controller, applied, subscription } = await stage({ held });
    const stream = await controller.stream();
    expect(claims(stream.hello).map(([name]) => name)).toEqual(['a', 'u']);
    expect(applied).toEqual([]);
    stream.send(updateOf(Lane.ENDPOINTS, held.endpoints, held.endpoints));
    stream.send(updateOf(Lane.CONFIG, one, one));
    await stream.answer();
    await stream.answer();
    expect(applied.map(({ lane, put }) => [lane, put])).toEqual([
      [Lane.ENDPOINTS, ['u']],
      [Lane.CONFIG, ['a']],
    ]);
    expect(await subscription.useHeld()).toEqual([]);
    expect(applied).toHaveLength(2);
  });

  test('is put in use without a controller when told so', async () => {
    const { applied, apply } = recorder();
    const subscription = subscribes('https://127.0.0.1:1', { apply, held });
    expect(await subscription.useHeld()).toEqual([]);
    expect(applied.map(({ lane }) => lane)).toEqual([Lane.ENDPOINTS, Lane.CONFIG]);
    expect(subscription.state().current).toBe(false);
  });

  test('never replaces what came meanwhile', async () => {
    const slow = Promise.withResolvers<void>();
    const order: string[] = [];
    const apply: Apply = async (lane, next) => {
      if (lane === Lane.CONFIG) order.push(versionOf(next));
      await slow.promise;
      return { ok: true };
    };
    const { controller, subscription } = await stage({ apply, held });
    const stream = await controller.stream();
    stream.send(updateOf(Lane.CONFIG, one, two));
    await vi.waitFor(() => expect(order).toHaveLength(1));
    const using = subscription.useHeld();
    slow.resolve();
    await using;
    expect(order).toEqual([versionOf(two)]);
  });

  test('that does not link any more is reported', async () => {
    const refusals = [{ kind: Kind.ROUTE, name: 'a', path: '', reason: 'no' }];
    const apply: Apply = async () => ({ ok: false, refusals });
    const subscription = subscribes('https://127.0.0.1:1', { apply, held });
    expect(await subscription.useHeld()).toEqual([...refusals, ...refusals]);
  });
});

describe('resync', () => {
  test('asks for both lanes whole and resolves when they were applied', async () => {
    const { controller, applied, subscription } = await stage();
    const stream = await controller.stream();
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await stream.answer();
    const done = subscription.resync();
    const asked = [await stream.answer(), await stream.answer()];
    expect(asked).toMatchObject([
      { lane: Lane.ENDPOINTS, resend: true },
      { lane: Lane.CONFIG, resend: true },
    ]);
    stream.send(updateOf(Lane.ENDPOINTS, undefined, setOf(ends('u'))));
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await done;
    // What is in use already is no change.
    expect(applied.map(({ put }) => put)).toEqual([['a'], ['u'], []]);
  });

  test('without a stream claims nothing at the next', async () => {
    const { controller, subscription } = await stage({
      held: { config: one, endpoints: emptySet },
      backOff: { first: 200, most: 200 },
    });
    (await controller.stream()).end(Code.Unavailable);
    await vi.waitFor(() => expect(subscription.state().lastError).toBeDefined(), {
      interval: 2,
    });
    const done = subscription.resync();
    const stream = await controller.stream();
    expect(stream.hello.held).toEqual([]);
    stream.send(updateOf(Lane.ENDPOINTS, undefined, emptySet));
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await done;
  });

  test('fails in time when nothing comes', async () => {
    const { subscription } = await stage();
    await expect(subscription.resync(20)).rejects.toThrow(
      'no complete answer from the controller in 20 ms',
    );
  });

  test('fails when what comes is refused', async () => {
    const { apply } = recorder();
    const { controller, subscription } = await stage({ apply });
    const stream = await controller.stream();
    const done = subscription.resync();
    const failed = expect(done).rejects.toThrow('Cannot resync: a: rules[0] no');
    const refusals = [{ kind: Kind.ROUTE, name: 'a', path: 'rules[0]', reason: 'no' }];
    apply.mockResolvedValueOnce({ ok: false, refusals });
    stream.send(updateOf(Lane.CONFIG, undefined, one));
    await failed;
  });

  test('fails when the subscription closes', async () => {
    const { subscription } = await stage();
    const failed = expect(subscription.resync()).rejects.toThrow('was closed');
    await subscription.close();
    await failed;
  });
});

test('close waits for the last apply', async () => {
  const slow = Promise.withResolvers<void>();
  let done = false;
  const { controller, subscription } = await stage({
    async apply() {
      await slow.promise;
      done = true;
      return { ok: true };
    },
  });
  const stream = await controller.stream();
  stream.send(updateOf(Lane.CONFIG, undefined, one));
  await vi.waitFor(() => expect(subscription.state().connected).toBe(true));
  const closed = subscription.close();
  slow.resolve();
  await closed;
  expect(done).toBe(true);
});

test('a controller without TLS is refused', () => {
  expect(() => subscribes('http://127.0.0.1:1', recorder())).toThrow('https only');
});
