import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { ExternalMethod } from '@gatehouse/crds';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { refusedPort } from '../../../testing/backend.ts';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';
import { Authorization, type CheckRequest, CheckResponseSchema } from './generated/ext_authz_pb.js';

type Answer = MessageInitShape<typeof CheckResponseSchema>;

let guarded: GuardedBackend;
let server: Http2Server;
let port: number;
let answer: (request: CheckRequest) => Answer | Promise<Answer>;
let requests: CheckRequest[] = [];

beforeAll(async () => {
  // The server complains when its answer is not read to the end.
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  guarded = await startGuardedBackend();
  const routes = connectNodeAdapter({
    routes: (router) => {
      router.service(Authorization, {
        check(request) {
          requests.push(request);
          return Promise.resolve(answer(request)).then((value) =>
            create(CheckResponseSchema, value),
          );
        },
      });
    },
  });
  server = createServer(routes);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  requests = [];
});
afterAll(async () => {
  await guarded.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const serve = (config: Partial<ExternalMethod> = {}) =>
  guarded.guard([
    {
      name: 'service',
      external: { protocol: 'GRPC', url: `http://127.0.0.1:${port}`, timeout: '5s', ...config },
    },
  ]);
const header = (key: string, value: string, append?: boolean) => ({
  header: { key, value },
  ...(append === undefined ? {} : { append }),
});
const ok = (value: object): Answer => ({
  status: { code: 0 },
  httpResponse: { case: 'okResponse', value },
});
const denied = (value: object): Answer => ({
  status: { code: Code.PermissionDenied },
  httpResponse: { case: 'deniedResponse', value },
});
const reason = () => guarded.gateway.denials.at(-1)?.reason;

describe('a service written for Envoy', () => {
  it('gets what Envoy would tell it', async () => {
    answer = () => ok({});
    await serve();
    const lines = 'Authorization: Bearer abc\r\nX-Tenant: ünï\r\nX-Forwarded-For: 9.9.9.9\r\n';
    expect(
      (await guarded.ask(Buffer.from(lines).toString('latin1'), '/a/../b?c=d', 'PUT')).status,
    ).toBe(200);
    const { source, request } = requests[0]!.attributes!;
    expect(source?.address?.socketAddress?.address).toBe('127.0.0.1');
    expect(request?.time).toBeDefined();
    expect(request?.http).toMatchObject({
      method: 'PUT',
      path: '/b?c=d',
      host: 'a.test',
      scheme: 'http',
      protocol: 'HTTP/1.1',
      size: 0n,
      headers: {
        ':method': 'PUT',
        ':path': '/b?c=d',
        ':authority': 'a.test',
        ':scheme': 'http',
        authorization: 'Bearer abc',
        'x-tenant': 'ünï',
        'x-forwarded-for': '127.0.0.1',
        'x-request-id': request?.http?.id,
      },
    });
  });

  it('sets and removes fields for the upstream, and adds some for the client', async () => {
    answer = () =>
      ok({
        headers: [
          header('X-User', 'ignored'),
          header('X-User', 'zoë'),
          header('X-Group', 'a'),
          header('x-group', 'b', true),
          header('X-Unasked', 'x'),
        ],
        headersToRemove: ['Authorization', 'content-length', 'host'],
        responseHeadersToAdd: [
          header('Set-Cookie', 'a=1'),
          header('Set-Cookie', 'b=2'),
          header('Content-Length', '0'),
          header('X-Bad', 'a\r\nX-Evil: 1'),
        ],
      });
    await serve({ upstreamHeaders: ['X-User', 'X-Group'] });
    const { status, sent, values } = await guarded.ask(
      'Authorization: secret\r\nX-User: root\r\nX-Other: y\r\n',
    );
    expect(status).toBe(200);
    expect(Buffer.from(sent('x-user')!.join(), 'latin1').toString()).toBe('zoë');
    expect(sent('x-group')).toEqual(['a', 'b']);
    expect([sent('x-unasked'), sent('authorization'), sent('x-other')]).toEqual([[], [], ['y']]);
    expect(sent('host')).toEqual(['a.test']);
    expect(values('set-cookie')).toEqual(['a=1', 'b=2']);
    expect([values('content-length'), values('x-evil')]).toEqual([['2'], []]);
  });

  it('refuses with its own answer', async () => {
    answer = () =>
      denied({
        status: { code: 402 },
        headers: [header('X-Price', '7'), header('Transfer-Encoding', 'chunked')],
        body: 'pay first',
      });
    await serve();
    const { status, body, values, target } = await guarded.ask();
    expect([status, body, values('x-price'), values('transfer-encoding'), target]).toEqual([
      402,
      'pay first',
      ['7'],
      [],
      undefined,
    ]);
    expect(reason()).toBe('the service answers 402');
  });

  it.each<[string, Answer, number]>([
    ['a refusal without more', { status: { code: Code.PermissionDenied } }, 403],
    ['a refusal of another code', { status: { code: Code.Unauthenticated } }, 403],
    ['a refusal without a status', denied({ body: 'no' }), 403],
    ['a refusal of 200', denied({ status: { code: 200 }, body: 'no' }), 200],
    ['a refusal of a status that is none', denied({ status: { code: 99_999 } }), 403],
    [
      'a refusal with fields for the upstream',
      { status: { code: 7 }, httpResponse: { case: 'okResponse', value: {} } },
      403,
    ],
  ])('never lets through by %s, even where failures let pass', async (_, value, expected) => {
    answer = () => value;
    await serve({ failureMode: 'Open' });
    const { status, target } = await guarded.ask();
    expect([status, target]).toEqual([expected, undefined]);
  });

  it('may refuse with a giant body, which is cut', async () => {
    answer = () => denied({ status: { code: 403 }, body: 'x'.repeat(100_000) });
    await serve();
    const { body } = await guarded.ask();
    expect(body).toHaveLength(65_536);
  });

  it.each<[string, () => Answer | Promise<Answer>, RegExp]>([
    ['an answer without a status', () => ({}), /no status/],
    [
      'an error',
      () => {
        throw new ConnectError('secret sesame', Code.Internal);
      },
      /the call failed: Internal/,
    ],
    ['an answer that never comes', () => new Promise<Answer>(() => undefined), /DeadlineExceeded/],
    [
      'an answer of megabytes',
      () => denied({ status: { code: 403 }, body: 'x'.repeat(3_000_000) }),
      /ResourceExhausted/,
    ],
    ['a field that cannot be sent', () => ok({ headers: [header('x-user', 'a\nb')] }), /control/],
  ])('that gives %s answers 503, or lets pass where that is wished', async (_, give, why) => {
    answer = () => give();
    await serve({ timeout: '500ms', upstreamHeaders: ['X-User'] });
    const closed = await guarded.ask();
    expect([closed.status, closed.target]).toEqual([503, undefined]);
    expect(reason()).toMatch(why);
    expect(reason()).not.toContain('sesame');
    await serve({ timeout: '500ms', upstreamHeaders: ['X-User'], failureMode: 'Open' });
    expect((await guarded.ask()).status).toBe(200);
  });

  it('that is gone answers 503', async () => {
    await serve({ url: `http://127.0.0.1:${await refusedPort()}` });
    expect((await guarded.ask()).status).toBe(503);
    expect(reason()).toContain('Unavailable');
  });

  it('is asked on one connection', async () => {
    answer = () => ok({});
    let sessions = 0;
    server.on('session', () => sessions++);
    await serve({ timeout: '6s' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => guarded.ask()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(sessions).toBe(1);
  });
});
