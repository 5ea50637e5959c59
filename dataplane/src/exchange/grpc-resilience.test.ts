import { Retries_On, Upstream_Protocol } from '@gatehouse/snapshot';
import { Metadata, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import {
  type GrpcBackend,
  type GrpcClient,
  grpcClient,
  startGrpcBackend,
} from '../testing/grpc.ts';
import {
  type Http2Backend,
  type Http2Script,
  startHttp2Backend,
} from '../testing/http2-backend.ts';
import { forwardRule, type TestRule, type UpstreamFields } from '../testing/snapshot.ts';
import type { RetryFields } from './testing.ts';

type Unary = (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) => void;

const protocol = Upstream_Protocol.HTTP2;
const echo: Unary = ({ request }, done) => done(null, request);
/** Trailers only: nothing was sent before. */
const failing =
  (code: number): Unary =>
  (_, done) =>
    done({ code, details: 'no' });

let backend: GrpcBackend;
let gateway: TestGateway | undefined;
let client: GrpcClient | undefined;
let unary: Unary;
let asked: number;

beforeEach(async () => {
  unary = echo;
  asked = 0;
  const counting: Unary = (call, done) => {
    asked++;
    unary(call, done);
  };
  backend = await startGrpcBackend({
    Unary: counting,
    Upload: () => {},
    Download: () => {},
    Chat: () => {},
  });
});

afterEach(async () => {
  client?.close();
  await gateway?.close();
  client = undefined;
  gateway = undefined;
  backend.close();
});

async function start(rule: TestRule = {}, more: UpstreamFields = {}, ports = [backend.port]) {
  gateway = await startGateway({
    rules: [forwardRule('up', rule)],
    upstreams: { up: { endpoints: ports.map((port) => ({ port })), more: { protocol, ...more } } },
  });
  client = grpcClient(gateway.port);
  return client;
}

describe('retries', () => {
  const usual: RetryFields = {
    attempts: 2,
    backOffInitialMs: 1,
    backOffMaxMs: 2,
    budgetMinimum: 100,
  };
  const {
    GRPC_UNAVAILABLE,
    GRPC_CANCELLED,
    GRPC_DEADLINE_EXCEEDED,
    GRPC_INTERNAL,
    GRPC_RESOURCE_EXHAUSTED,
    SERVER_ERROR,
  } = Retries_On;

  it.each([
    ['unavailable', GRPC_UNAVAILABLE, status.UNAVAILABLE],
    ['cancelled', GRPC_CANCELLED, status.CANCELLED],
    ['deadline-exceeded', GRPC_DEADLINE_EXCEEDED, status.DEADLINE_EXCEEDED],
    ['internal', GRPC_INTERNAL, status.INTERNAL],
    ['resource-exhausted', GRPC_RESOURCE_EXHAUSTED, status.RESOURCE_EXHAUSTED],
  ])('after %s', async (_, on, code) => {
    unary = (call, done) => (asked === 1 ? failing(code) : echo)(call, done);
    const calls = await start({ retries: { ...usual, on: [on] } });
    expect(await calls.unary('hello')).toMatchObject({ code: status.OK, text: 'hello' });
    expect(asked).toBe(2);
    expect(gateway?.metrics()).toContain(
      'gateway_retries_total{service="up",reason="grpc-status"} 1',
    );
  });

  it.each([
    ['of a status that is not named', [GRPC_UNAVAILABLE], status.INTERNAL],
    ['of a call for what HTTP says', [SERVER_ERROR], status.UNAVAILABLE],
  ])('not %s', async (_, on, code) => {
    unary = failing(code);
    const calls = await start({ retries: { ...usual, on } });
    expect(await calls.unary('x')).toMatchObject({ code });
    expect(asked).toBe(1);
  });

  it('end with the last answer', async () => {
    unary = failing(status.UNAVAILABLE);
    const calls = await start({ retries: { ...usual, on: [GRPC_UNAVAILABLE] } });
    expect(await calls.unary('x')).toMatchObject({ code: status.UNAVAILABLE, details: 'no' });
    expect(asked).toBe(3);
  });

  it('not when something of the answer has gone to the client', async () => {
    unary = (call, done) => {
      call.sendMetadata(new Metadata());
      setImmediate(() => failing(status.UNAVAILABLE)(call, done));
    };
    const calls = await start({ retries: { ...usual, on: [GRPC_UNAVAILABLE] } });
    expect(await calls.unary('x')).toMatchObject({ code: status.UNAVAILABLE });
    expect(asked).toBe(1);
  });
});

describe('what a call says of its endpoint', () => {
  const breaker = { failureThreshold: 2, timeoutMs: 60_000, halfOpenRequests: 1 };

  it.each([
    ['UNAVAILABLE', failing(status.UNAVAILABLE)],
    ['INTERNAL', failing(status.INTERNAL)],
    [
      'UNAVAILABLE in trailers',
      ((call, done) => {
        call.sendMetadata(new Metadata());
        setImmediate(() => failing(status.UNAVAILABLE)(call, done));
      }) as Unary,
    ],
  ])('opens the breaker: %s', async (_, answer) => {
    unary = answer;
    const calls = await start({}, { circuitBreaker: breaker });
    for (let i = 0; i < 2; i++) await calls.unary('x');
    expect(await calls.unary('x')).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'Circuit breaker open',
    });
    expect(asked).toBe(2);
  });

  it.each([
    ['NOT_FOUND', status.NOT_FOUND],
    ['RESOURCE_EXHAUSTED', status.RESOURCE_EXHAUSTED],
    ['INVALID_ARGUMENT', status.INVALID_ARGUMENT],
  ])('is nothing bad: %s', async (_, code) => {
    unary = failing(code);
    const calls = await start({}, { circuitBreaker: breaker });
    for (let i = 0; i < 4; i++) expect(await calls.unary('x')).toMatchObject({ code });
  });

  it('has it ejected', async () => {
    const other = await startGrpcBackend({
      Unary: echo,
      Upload: () => {},
      Download: () => {},
      Chat: () => {},
    });
    unary = failing(status.UNAVAILABLE);
    const long = 600_000;
    const calls = await start(
      {},
      {
        outlierDetection: {
          consecutiveErrors: 2,
          intervalMs: long,
          baseEjectionMs: long,
          maxEjectionMs: long,
          maxEjectedPercent: 100,
        },
      },
      [backend.port, other.port],
    );
    for (let i = 0; i < 6; i++) await calls.unary('x');
    for (let i = 0; i < 4; i++) expect(await calls.unary('x')).toMatchObject({ code: status.OK });
    expect(asked).toBe(2);
    other.close();
  });
});

it('counts answers by their status', async () => {
  const calls = await start();
  await calls.unary('x');
  unary = failing(status.NOT_FOUND);
  await calls.unary('x');
  const lines = () =>
    gateway
      ?.metrics()
      .split('\n')
      .filter((line) => line.startsWith('gateway_grpc_responses_total{'));
  await vi.waitFor(() =>
    expect(lines()).toEqual([
      'gateway_grpc_responses_total{path="/*",service="up",grpc_status="NOT_FOUND"} 1',
      'gateway_grpc_responses_total{path="/*",service="up",grpc_status="OK"} 1',
    ]),
  );
});

describe('a health check by gRPC', () => {
  let checked: Http2Backend;
  const serving =
    (number: number): Http2Script =>
    ({ stream }) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, number]));
    };
  const trailersOnly =
    (code: number): Http2Script =>
    ({ stream }) =>
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code },
        { endStream: true },
      );

  afterEach(() => checked.close());

  const check = (service = '') => ({
    healthCheck: {
      probe: { case: 'grpc' as const, value: { service } },
      intervalMs: 20,
      timeoutMs: 200,
      unhealthyThreshold: 1,
      healthyThreshold: 1,
    },
  });
  const view = () => gateway?.oversight.endpoint('up', `127.0.0.1 ${checked.port}`);

  it('asks for the service', async () => {
    checked = await startHttp2Backend(serving(1));
    await start({}, check('shop.v1.Catalog'), [checked.port]);
    await checked.received(1);
    expect(checked.requests[0]?.headers).toMatchObject({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    expect(await checked.requests[0]?.body).toEqual(
      Buffer.concat([Buffer.from([0, 0, 0, 0, 17, 10, 15]), Buffer.from('shop.v1.Catalog')]),
    );
    await vi.waitFor(() => expect(view()?.check?.healthy).toBe(true));
  });

  it.each<[string, Http2Script]>([
    ['NOT_SERVING', serving(2)],
    ['UNKNOWN', serving(0)],
    ['gRPC status UNIMPLEMENTED', trailersOnly(12)],
    ['gRPC status NOT_FOUND', trailersOnly(5)],
    [
      'gRPC status missing',
      ({ stream }) => {
        stream.respond({ ':status': 200 });
        stream.end();
      },
    ],
    ['status 503', ({ stream }) => stream.respond({ ':status': 503 }, { endStream: true })],
    ['no answer in time', () => undefined],
  ])('fails: %s', async (failure, script) => {
    checked = await startHttp2Backend(script);
    await start({}, check(), [checked.port]);
    await vi.waitFor(
      () => expect(view()).toMatchObject({ state: 'unhealthy', check: { failure } }),
      5000,
    );
    checked.script = serving(1);
    await vi.waitFor(() => expect(view()).toMatchObject({ state: 'in service' }), 5000);
  });
});
