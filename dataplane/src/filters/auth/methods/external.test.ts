import type { ExternalMethod } from '@gatehouse/crds';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answering,
  type BackendScript,
  type RawBackend,
  refusedPort,
  startBackend,
} from '../../../testing/backend.ts';
import { connectTo } from '../../../testing/client.ts';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';
import { valuesOf } from '../../../testing/message.ts';
import { patient } from '../../../testing/peer.ts';

let guarded: GuardedBackend;
let service: RawBackend;

beforeAll(async () => {
  guarded = await startGuardedBackend();
  service = await startBackend();
});
beforeEach(() => service.reset());
afterAll(async () => {
  await guarded.close();
  await service.close();
});

const answer = (status: string, lines = '', body = ''): BackendScript =>
  answering(`HTTP/1.1 ${status}\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`);
const serve = (config: Partial<ExternalMethod> = {}, path = '/check/') =>
  guarded.guard(
    [
      {
        name: 'service',
        external: { url: `http://127.0.0.1:${service.port}${path}`, timeout: '5s', ...config },
      },
    ],
    {
      guarded: (config.upstreamHeaders ?? [])
        .map((name) => name.toLowerCase())
        .filter((name) => name !== 'authorization'),
    },
  );
const reason = () => guarded.gateway.denials.at(-1)?.reason;
const asked = () => service.requests.at(-1)!;

describe('what the service gets', () => {
  it('is the head alone, with its method', async () => {
    service.script = answer('200 OK');
    await serve();
    const lines =
      'Authorization: Basic abc\r\nCookie: a=1\r\nCookie: b=2\r\nX-Other: no\r\nX-Forwarded-For: 9.9.9.9\r\n';
    const { status } = await guarded.ask(lines, '/a/../x%2fy?c=%20d', 'DELETE');
    expect(status).toBe(200);
    const { startLine, fields, body } = asked();
    expect(startLine).toBe('DELETE /check/x%2Fy?c=%20d HTTP/1.1');
    expect(body).toHaveLength(0);
    const values = (name: string) => valuesOf(fields, name);
    expect(values('authorization')).toEqual(['Basic abc']);
    expect(values('cookie')).toEqual(['a=1; b=2']);
    expect(values('x-other')).toEqual([]);
    expect(values('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(values('x-forwarded-host')).toEqual(['a.test']);
    expect(values('x-forwarded-proto')).toEqual(['http']);
    expect(values('x-forwarded-method')).toEqual(['DELETE']);
    expect(values('x-forwarded-uri')).toEqual(['/x%2Fy?c=%20d']);
    expect(values('x-request-id')).toHaveLength(1);
  });

  it('has the fields that are chosen, bytes as they came', async () => {
    service.script = answer('200 OK');
    await serve({ requestHeaders: ['X-Tenant', 'constructor'] });
    await guarded.ask('X-Tenant: caf\xe9\r\nAuthorization: secret\r\nconstructor: x\r\n');
    const { fields } = asked();
    expect(valuesOf(fields, 'constructor')).toEqual(['x']);
    expect(valuesOf(fields, 'authorization')).toEqual([]);
  });

  it.each(['/%2e%2e/%2e%2e/admin', '/..;/admin', '/a%2f..%2f..%2fadmin'])(
    'never leaves the path of the service: %s',
    async (target) => {
      service.script = answer('200 OK');
      await serve();
      expect((await guarded.ask('', target)).status).toBe(400);
      expect(service.requests).toHaveLength(0);
    },
  );
});

describe('2xx', () => {
  it('lets the request through with the fields that are chosen, and only those', async () => {
    service.script = answer(
      '204 No Content',
      'X-User: alice\r\nX-Role: a\r\nX-Role: b\r\nX-Secret: s\r\n',
    );
    await serve({ upstreamHeaders: ['X-User', 'x-role', 'X-None'] });
    const { status, sent, values } = await guarded.ask(
      'X-User: root\r\nx_user: root\r\nX-None: root\r\n',
    );
    expect(status).toBe(200);
    expect(sent('x-user')).toEqual(['alice']);
    expect(sent('x_user')).toEqual([]);
    expect(sent('x-role')).toEqual(['a', 'b']);
    expect(sent('x-none')).toEqual([]);
    expect(sent('x-secret')).toEqual([]);
    expect(values('x-user')).toEqual([]);
  });

  it('may put another credential in place of the client’s', async () => {
    service.script = answer('200 OK', 'Authorization: Bearer inner\r\n');
    await serve({ upstreamHeaders: ['Authorization'] });
    const { sent } = await guarded.ask('Authorization: Bearer outer\r\n');
    expect(valuesOf(asked().fields, 'authorization')).toEqual(['Bearer outer']);
    expect(sent('authorization')).toEqual(['Bearer inner']);
  });

  it('tells who the client is by claims', async () => {
    service.script = answer('200 OK', 'X-User: alice\r\n');
    await guarded.guard(
      [
        {
          name: 'service',
          external: {
            url: `http://127.0.0.1:${service.port}/`,
            timeout: '5s',
            upstreamHeaders: ['X-User'],
          },
        },
      ],
      {
        identity: {
          defaultHeaders: true,
          headers: [{ name: 'X-Id', expression: 'claims["x-user"]' }],
        },
      },
    );
    expect((await guarded.ask()).sent('x-id')).toEqual(['alice']);
  });

  it('leaves the body to the upstream', async () => {
    service.script = answer('200 OK');
    await serve();
    const client = await connectTo(guarded.gateway.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    await expect.poll(() => service.requests.length, patient).toBe(1);
    client.write('world');
    await client.message();
    client.end();
    expect(asked().body).toHaveLength(0);
    expect(guarded.backend.requests.at(-1)!.body.toString()).toBe('helloworld');
  });
});

describe('another status', () => {
  it.each([
    ['401 Unauthorized', 'WWW-Authenticate: Digest realm="x"\r\n', 401],
    ['403 Forbidden', '', 403],
    [
      '302 Found',
      'Location: https://login.test/?a=b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n',
      302,
    ],
    ['429 Too Many Requests', 'Retry-After: 7\r\n', 429],
  ])('is the answer to the client: %s', async (status, lines, expected) => {
    const unsafe = 'X-Internal: secret\r\nConnection: close\r\nServer: authz\r\n';
    service.script = answer(
      status,
      `${lines}${unsafe}Content-Type: text/plain\r\n`,
      'no, you may not',
    );
    await serve();
    const { status: seen, body, message, target } = await guarded.ask();
    expect([seen, body, target]).toEqual([expected, 'no, you may not', undefined]);
    for (const line of lines.split('\r\n').filter(Boolean)) {
      expect(message.head.toLowerCase()).toContain(line.toLowerCase());
    }
    expect(message.head).not.toMatch(/x-internal|authz/i);
    expect(reason()).toBe(`the service answers ${expected}`);
  });

  it('keeps the answer within bounds', async () => {
    service.script = answer('403 Forbidden', '', 'x'.repeat(100_000));
    await serve({ failureMode: 'Open' });
    const { status, body } = await guarded.ask();
    expect([status, body.length]).toEqual([403, 65_536]);
  });

  it('that has no body becomes 403, even where failures let pass', async () => {
    service.script = answer('304 Not Modified');
    await serve({ failureMode: 'Open' });
    expect((await guarded.ask()).status).toBe(403);
  });
});

const failures: [string, BackendScript, RegExp][] = [
  ['500', answer('500 Oh'), /the answer is 500/],
  ['503', answer('503 Oh'), /the answer is 503/],
  ['no HTTP', answering('hello\r\n\r\n'), /request failed/],
  ['a cut connection', { request: (_, { socket }) => socket.destroy() }, /request failed/],
  ['a field that cannot be sent', answer('200 OK', 'X-User: a\x01b\r\n'), /./],
];

describe('a service that answers', () => {
  it.each(failures)('%s lets nobody through', async (_, script, why) => {
    service.script = script;
    await serve({ upstreamHeaders: ['X-User'] });
    const { status, body, target } = await guarded.ask();
    expect([status, body, target]).toEqual([
      503,
      '{"error":"Authentication is not available"}',
      undefined,
    ]);
    expect(reason()).toMatch(why);
  });

  it.each(failures)('%s lets everybody pass where that is wished', async (_, script) => {
    service.script = script;
    await serve({ failureMode: 'Open', upstreamHeaders: ['Authorization', 'X-User'] });
    const { status, sent } = await guarded.ask(
      'Authorization: x\r\nX-User: root\r\nX-Other: y\r\n',
    );
    expect(status).toBe(200);
    expect([sent('x-user'), sent('authorization'), sent('x-other')]).toEqual([[], [], ['y']]);
  });
});

describe('a service', () => {
  it('that is slow is not waited for', async () => {
    service.script = { request: () => undefined };
    await serve({ timeout: '100ms' });
    expect((await guarded.ask()).status).toBe(503);
    expect(reason()).toContain('no answer within 100 ms');
  });

  it('that is gone lets nobody through', async () => {
    await serve({ url: `http://127.0.0.1:${await refusedPort()}/` });
    expect((await guarded.ask()).status).toBe(503);
    expect(reason()).toContain('ECONNREFUSED');
  });

  it('is asked by so many at a time, and so many wait', async () => {
    const waiting: (() => void)[] = [];
    const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    service.script = { request: (_, peer) => waiting.push(() => peer.write(ok)) };
    await serve({ timeout: '20s' });
    const all = Array.from({ length: 100 }, () => guarded.ask());
    await expect.poll(() => guarded.gateway.connections(), patient).toBe(100);
    await expect.poll(() => waiting.length, patient).toBe(64);
    service.script = answering(ok);
    for (const go of waiting) go();
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
  });
});
