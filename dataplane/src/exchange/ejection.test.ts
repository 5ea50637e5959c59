import { Balancing_Algorithm } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, refusedPort, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Message, statusOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule, type UpstreamFields } from '../testing/snapshot.ts';

type Detection = NonNullable<UpstreamFields['outlierDetection']>;

const names = ['one', 'two', 'three'];
const answer = (status: number, text: string) =>
  answering(`HTTP/1.1 ${status} x\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
/** So long that no test waits for it. */
const long = 600_000;

let backends: RawBackend[] = [];
let gateway: TestGateway;

beforeEach(async () => {
  backends = await Promise.all(names.map((name) => startBackend(answer(200, name))));
});
afterEach(async () => {
  await gateway.close();
  await Promise.all(backends.map((backend) => backend.close()));
});

function snapshot(
  detection: Detection,
  more: UpstreamFields = {},
  ports = backends.map(({ port }) => port),
) {
  const outlierDetection = {
    consecutiveErrors: 3,
    intervalMs: long,
    baseEjectionMs: long,
    maxEjectionMs: long,
    maxEjectedPercent: 100,
    ...detection,
  };
  return {
    rules: [forwardRule('up')],
    upstreams: {
      up: {
        endpoints: ports.map((port) => ({ port })),
        more: { outlierDetection, ...more },
      },
    },
  };
}

async function start(...settings: Parameters<typeof snapshot>) {
  gateway = await startGateway(snapshot(...settings));
}

async function ask(): Promise<Message> {
  const client = await connectTo(gateway.port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const message = await client.message();
  client.end();
  return message;
}

/** Bodies of so many answers, the status for those that are not 200. */
async function served(count: number): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < count; i++) {
    const message = await ask();
    found.push(statusOf(message) === 200 ? message.body.toString() : String(statusOf(message)));
  }
  return found;
}

const viewOf = (port: number) => gateway.oversight.endpoint('up', `127.0.0.1 ${port}`);
const states = () => backends.map(({ port }) => viewOf(port)?.state);

describe('an endpoint', () => {
  it('that answers with errors one after the other is ejected', async () => {
    await start({});
    backends[1]!.script = answer(500, 'bad');
    const first = await served(9);
    expect(first.filter((text) => text === '500')).toHaveLength(3);
    expect(new Set(await served(10))).toEqual(new Set(['one', 'three']));
    expect(states()).toEqual(['in service', 'ejected', 'in service']);
    expect(viewOf(backends[1]!.port)).toEqual({
      state: 'ejected',
      reason: 'consecutive errors',
      backInSeconds: expect.any(Number),
    });
    expect(gateway.metrics()).toContain(
      'gateway_endpoint_ejections_total{service="up",reason="consecutive errors"} 1',
    );
    expect(gateway.oversight.metrics().map(({ labels, value }) => [labels, value])).toEqual([
      ['service="up",upstream="up",state="in service"', 2],
      ['service="up",upstream="up",state="ejected"', 1],
      ['service="up",upstream="up",state="unhealthy"', 0],
    ]);
    expect(gateway.events).toEqual([
      {
        service: 'up',
        upstream: 'up',
        endpoint: `127.0.0.1 ${backends[1]!.port}`,
        reason: 'consecutive errors',
        bad: true,
        text: 'An endpoint is ejected',
      },
    ]);
  });

  it('that answers well in between is not', async () => {
    await start({});
    let count = 0;
    backends[1]!.script = {
      request: (_request, peer) =>
        peer.write(
          ++count % 3 === 0
            ? 'HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\ntwo'
            : 'HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n',
        ),
    };
    await served(45);
    expect(states()).toEqual(Array(3).fill('in service'));
  });

  it.each<[string, RawBackend['script'], boolean]>([
    ['answers with 503', answer(503, 'busy'), true],
    ['answers with 500', answer(500, 'bad'), false],
    ['answers with 404', answer(404, 'none'), false],
    ['resets', { request: (_request, peer) => peer.reset() }, true],
    ['talks nonsense', answering('220 smtp.example ESMTP\r\n\r\n'), true],
  ])('that %s: a gateway error? (%s)', async (_, script, ejected) => {
    await start({ consecutiveErrors: 0, consecutiveGatewayErrors: 2 });
    backends[0]!.script = script;
    await served(9);
    expect(states()[0]).toBe(ejected ? 'ejected' : 'in service');
  });

  it('that cannot be reached is ejected, without any request failing', async () => {
    const dead = await refusedPort();
    await start({}, {}, [dead, ...backends.map(({ port }) => port)]);
    expect(new Set(await served(16))).toEqual(new Set(names));
    expect(viewOf(dead)?.state).toBe('ejected');
  });

  it('comes back when its time is over, and is ejected again when it is no better', async () => {
    await start({ baseEjectionMs: 40, maxEjectionMs: 60 });
    backends[1]!.script = answer(500, 'bad');
    const events = () => gateway.events.map(({ text }) => text);
    await expect
      .poll(async () => {
        await served(3);
        return events().length;
      }, patient)
      .toBeGreaterThanOrEqual(4);
    expect(events().slice(0, 4)).toEqual([
      'An endpoint is ejected',
      'An endpoint is back in service',
      'An endpoint is ejected',
      'An endpoint is back in service',
    ]);
    backends[1]!.script = answer(200, 'two');
    await expect.poll(async () => new Set(await served(3)), patient).toEqual(new Set(names));
  });

  it('is not ejected beyond the percentage, but one always may be', async () => {
    await start({ maxEjectedPercent: 1 });
    for (const backend of backends) backend.script = answer(500, 'bad');
    await served(20);
    expect(states().filter((state) => state === 'ejected')).toHaveLength(1);
  });

  it('is used in a panic, when too many are ejected', async () => {
    await start(
      {},
      { balancing: { algorithm: Balancing_Algorithm.ROUND_ROBIN, panicPercent: 50 } },
    );
    backends[0]!.script = answer(500, 'bad');
    backends[1]!.script = answer(500, 'bad');
    await served(12);
    expect(states()).toEqual(['ejected', 'ejected', 'in service']);
    expect(new Set(await served(9))).toEqual(new Set(['500', 'three']));
  });

  it('is out of service without a threshold for panic: then nobody is left', async () => {
    await start({}, { balancing: { panicPercent: 0 } });
    for (const backend of backends) backend.script = answer(500, 'bad');
    await served(9);
    const refusal = await ask();
    expect(refusal.body.toString()).toBe('{"error":"Service unavailable"}');
    expect(gateway.metrics()).toContain('reason="no endpoint"} 1');
  });

  it('stays ejected over a swap, and is back when nobody judges any more', async () => {
    await start({});
    backends[1]!.script = answer(500, 'bad');
    await served(9);
    await gateway.use(snapshot({ consecutiveErrors: 9 }));
    expect(states()[1]).toBe('ejected');
    expect(new Set(await served(6))).toEqual(new Set(['one', 'three']));
    const { rules, upstreams } = snapshot({});
    await gateway.use({ rules, upstreams: { up: { endpoints: upstreams.up.endpoints } } });
    expect(new Set(await served(6))).toEqual(new Set(['one', '500', 'three']));
    await gateway.use(snapshot({}));
    expect(states()[1]).toBe('in service');
  });

  it('that leaves and comes back begins anew', async () => {
    await start({});
    backends[1]!.script = answer(500, 'bad');
    await served(9);
    const { rules, upstreams } = snapshot({});
    const { up } = upstreams;
    const fewer = up.endpoints.filter(({ port }) => port !== backends[1]!.port);
    await gateway.use({ rules, upstreams: { up: { ...up, endpoints: fewer } } });
    await gateway.use({ rules, upstreams });
    expect(states()[1]).toBe('in service');
  });
});

it('an endpoint whose success rate is far below the others is ejected', async () => {
  const others = await Promise.all([1, 2, 3].map(() => startBackend(answer(200, 'more'))));
  const ports = [...backends, ...others].map(({ port }) => port);
  await start(
    {
      consecutiveErrors: 0,
      intervalMs: 150,
      successRate: { deviationPercent: 190, minimumEndpoints: 5, minimumRequests: 2 },
    },
    {},
    ports,
  );
  let count = 0;
  backends[1]!.script = {
    request: (_request, peer) =>
      peer.write(`HTTP/1.1 ${++count % 2 === 0 ? 200 : 500} x\r\nContent-Length: 0\r\n\r\n`),
  };
  await expect
    .poll(async () => {
      await served(12);
      return viewOf(backends[1]!.port)?.reason;
    }, patient)
    .toBe('success rate');
  expect(gateway.metrics()).toContain(
    'gateway_endpoint_ejections_total{service="up",reason="success rate"} 1',
  );
  await Promise.all(others.map((backend) => backend.close()));
});
