import { Upstream_Protocol } from '@gatehouse/snapshot';
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  Metadata,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { refusedPort } from '../testing/backend.ts';
import { type GatewayOptions, startGateway, type TestGateway } from '../testing/gateway.ts';
import {
  type GrpcBackend,
  type GrpcClient,
  grpcClient,
  startGrpcBackend,
} from '../testing/grpc.ts';
import { forwardRule, type TestRule, type UpstreamFields } from '../testing/snapshot.ts';

type Unary = (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) => void;

let backend: GrpcBackend;
let gateway: TestGateway | undefined;
let client: GrpcClient;
let unary: Unary;

const echo: Unary = ({ request }, done) => done(null, request);

beforeEach(async () => {
  unary = echo;
  backend = await startGrpcBackend({
    Unary: ((call, done) => unary(call, done)) as Unary,
    Upload(call: NodeJS.ReadableStream, done: sendUnaryData<string>) {
      const parts: string[] = [];
      call.on('data', (part: string) => parts.push(part));
      call.on('end', () => done(null, parts.join('+')));
    },
    Download: ((call) => {
      for (let i = 0; i < Number(call.request); i++) call.write(`part ${i}`);
      const trailers = new Metadata();
      trailers.set('x-count', call.request);
      call.end(trailers);
    }) as handleServerStreamingCall<string, string>,
    Chat: ((call) => {
      call.on('data', (text: string) => call.write(text.toUpperCase()));
      call.on('end', () => call.end());
    }) as handleBidiStreamingCall<string, string>,
  });
});

afterEach(async () => {
  client.close();
  await gateway?.close();
  backend.close();
});

async function start(rule: TestRule = {}, more: UpstreamFields = {}, options: GatewayOptions = {}) {
  gateway = await startGateway({
    rules: [forwardRule('up', rule)],
    upstreams: {
      up: {
        endpoints: [{ port: backend.port }],
        more: { protocol: Upstream_Protocol.HTTP2, ...more },
      },
    },
    ...options,
  });
  client = grpcClient(gateway.port);
}

describe('a call', () => {
  it('of one message and one answer', async () => {
    await start();
    expect(await client.unary('hello')).toMatchObject({ code: status.OK, text: 'hello' });
  });

  it('that takes many messages', async () => {
    await start();
    const call = client.upload();
    for (const part of ['a', 'b', 'c']) call.send(part);
    expect(await call.end()).toBe('a+b+c');
  });

  it('that is answered with many messages and trailers', async () => {
    await start();
    const call = client.download('50');
    const parts: string[] = [];
    call.on('data', (part: string) => parts.push(part));
    const { metadata } = await new Promise<{ metadata: Metadata }>((resolve) =>
      call.on('status', resolve),
    );
    expect(parts).toEqual(Array.from({ length: 50 }, (_, i) => `part ${i}`));
    expect(metadata.get('x-count')).toEqual(['50']);
  });

  it('that goes both ways, message by message', async () => {
    await start();
    const call = client.chat();
    for (const text of ['one', 'two', 'three']) {
      const answer = new Promise((resolve) => call.once('data', resolve));
      call.write(text);
      expect(await answer).toBe(text.toUpperCase());
    }
    const end = new Promise<{ code: number }>((resolve) => call.on('status', resolve));
    call.end();
    expect((await end).code).toBe(status.OK);
  });

  it('that the client gives up', async () => {
    const cancelled = Promise.withResolvers<void>();
    unary = (call) => call.on('cancelled', () => cancelled.resolve());
    await start();
    const call = client.client.makeUnaryRequest(
      '/test.Echo/Unary',
      (text: string) => Buffer.from(text),
      String,
      'x',
      () => undefined,
    );
    await vi.waitFor(() => expect(gateway?.connections()).toBe(1));
    setTimeout(() => call.cancel(), 50);
    await cancelled.promise;
  });

  it('that fails keeps status, message and metadata', async () => {
    const metadata = new Metadata();
    metadata.set('x-why', 'because');
    unary = (_, done) => done({ code: status.NOT_FOUND, details: 'no such thing: ä', metadata });
    await start();
    const outcome = await client.unary('x');
    expect(outcome).toMatchObject({ code: status.NOT_FOUND, details: 'no such thing: ä' });
    expect(outcome.trailers.get('x-why')).toEqual(['because']);
  });

  it('has its metadata, and te', async () => {
    const seen: Metadata[] = [];
    unary = (call, done) => {
      seen.push(call.metadata);
      done(null, '');
    };
    await start();
    const metadata = new Metadata();
    metadata.set('x-one', '1');
    metadata.set('x-some-bin', Buffer.from([1, 2, 255]));
    await client.unary('x', { metadata });
    expect(seen[0]?.get('x-one')).toEqual(['1']);
    expect(seen[0]?.get('x-some-bin')).toEqual([Buffer.from([1, 2, 255])]);
    expect(seen[0]?.get('x-forwarded-proto')).toEqual(['http']);
  });
});

describe('the deadline of a call', () => {
  let seen: number[] = [];
  const noting: Unary = (call, done) => {
    seen = [Number(call.getDeadline())];
    done(null, '');
  };

  it('is passed on as what is left of it', async () => {
    unary = noting;
    await start();
    await client.unary('x', { deadline: Date.now() + 5000 });
    const left = Number(seen.at(-1)) - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5000);
  });

  it('of the rule is the one that counts when it is shorter', async () => {
    unary = noting;
    await start({ timeouts: { request: 2000 } });
    await client.unary('x', { deadline: Date.now() + 60_000 });
    expect(Number(seen.at(-1)) - Date.now()).toBeLessThanOrEqual(2000);
  });

  it('of the rule ends it', async () => {
    unary = () => undefined;
    await start({ timeouts: { request: 100 } });
    expect(await client.unary('x')).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });
});

describe('the gateway itself answers', () => {
  it('that no route matches', async () => {
    await start({ matches: [{ path: { type: 1, value: '/other' } }] });
    expect(await client.unary('x')).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('that nobody is there', async () => {
    backend.close();
    gateway = await startGateway({
      rules: [forwardRule('up')],
      upstreams: {
        up: {
          endpoints: [{ port: await refusedPort() }],
          more: { protocol: Upstream_Protocol.HTTP2 },
        },
      },
    });
    client = grpcClient(gateway.port);
    expect(await client.unary('x')).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'Bad gateway',
    });
  });
});
