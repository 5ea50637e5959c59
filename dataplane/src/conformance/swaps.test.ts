import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf } from '../testing/message.ts';
import { forwardRule, type TestRule } from '../testing/snapshot.ts';

let one: RawBackend;
let two: RawBackend;
let gateway: TestGateway;

beforeEach(async () => {
  one = await startBackend();
  two = await startBackend();
  gateway = await startGateway(snapshot([one]));
});
afterEach(async () => {
  await gateway.close();
  await one.close();
  await two.close();
});

function snapshot(backends: RawBackend[], rule: TestRule = {}) {
  return {
    rules: [forwardRule('up', rule)],
    upstreams: { up: { endpoints: backends.map(({ port }) => ({ port })) } },
  };
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\n';

describe('a swap of the snapshot', () => {
  it('keeps the connections of both sides', async () => {
    const client = await connectTo(gateway.port);
    client.write(get);
    await client.message();
    await gateway.use(snapshot([one], { requestHeaders: { set: [{ name: 'X', value: '2' }] } }));
    client.write(get);
    await client.message();
    expect(one.connections).toHaveLength(1);
    expect(valuesOf(one.requests[1]!.fields, 'x')).toEqual(['2']);
    client.end();
  });

  it('does not disturb what is under way, even when its endpoint or rule goes', async () => {
    one.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Content-Length: 10\r\n\r\n01234`);
        await peer.text('finish');
        peer.write('56789');
      },
    };
    const client = await connectTo(gateway.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n');
    await client.text('01234');
    await gateway.use(snapshot([two]));
    await gateway.use({ rules: [], upstreams: {} });
    client.write('finish');
    const answer = await client.message();
    expect(answer.body.toString()).toBe('0123456789');
    // Nobody keeps a connection to an endpoint that is gone.
    expect(await (await one.connection(0)).close()).toMatch(/end|ECONNRESET/);
    client.end();
    const next = await connectTo(gateway.port);
    next.write(get);
    expect(statusOf(await next.message())).toBe(404);
    next.end();
  });

  it('closes idle connections to endpoints that are gone, and only those', async () => {
    await gateway.use(snapshot([one, two]));
    const client = await connectTo(gateway.port);
    for (let i = 0; i < 2; i++) {
      client.write(get);
      await client.message();
    }
    await gateway.use(snapshot([two]));
    expect(await (await one.connection(0)).close()).toMatch(/end|ECONNRESET/);
    client.write(get);
    expect(statusOf(await client.message())).toBe(200);
    expect(two.connections).toHaveLength(1);
    expect(two.requests).toHaveLength(2);
    client.end();
  });

  it('again and again under load: no request fails, each gets its own answer', async () => {
    for (const backend of [one, two]) {
      let served = 0;
      backend.script = {
        request: (request, peer) => {
          const body = request.startLine.split(' ')[1] ?? '';
          const way = ++served % 4;
          if (way === 0) {
            peer.write(`${ok}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
            peer.end();
          } else if (way === 1) {
            peer.write(`${ok}\r\n${body}`);
            peer.end();
          } else if (way === 2) {
            peer.write(`${ok}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`);
            setImmediate(() => peer.write(`${body}\r\n0\r\n\r\n`));
          } else peer.write(`${ok}Content-Length: ${body.length}\r\n\r\n${body}`);
        },
      };
    }
    let running = true;
    const swapping = (async () => {
      for (let i = 0; running; i++) {
        const backends = [[one], [two], [one, two]][i % 3] ?? [];
        const rule =
          i % 2 === 0 ? {} : { responseHeaders: { set: [{ name: 'I', value: `${i}` }] } };
        await gateway.use(snapshot(backends, rule));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    await Promise.all(
      Array.from({ length: 12 }, async (_, c) => {
        const client = await connectTo(gateway.port);
        for (let i = 0; i < 30; i++) {
          client.write(`GET /${c}/${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
          const answer = await client.message();
          expect(statusOf(answer)).toBe(200);
          expect(answer.body.toString()).toBe(`/${c}/${i}`);
        }
        client.end();
      }),
    );
    running = false;
    await swapping;
  });
});
