import type { MessageInitShape } from '@bufbuild/protobuf';
import { PathMatch_Type, type RedirectSchema } from '@gatehouse/snapshot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, refusedPort, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf, withoutOwnLines } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule, prefixMatch, type TestRule } from '../testing/snapshot.ts';

let backend: RawBackend;
let second: RawBackend;
let gateway: TestGateway;
let dead = 0;

beforeAll(async () => {
  backend = await startBackend();
  second = await startBackend();
  dead = await refusedPort();
  gateway = await startGateway({});
});
beforeEach(() => {
  for (const server of [backend, second]) {
    server.reset();
    server.script = answering('HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nContent-Length: 2\r\n\r\nok');
  }
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
  await second.close();
});

async function serve(...rules: TestRule[]) {
  await gateway.use({
    rules,
    upstreams: {
      one: { endpoints: [{ port: backend.port }] },
      two: { endpoints: [{ port: second.port }] },
      none: { endpoints: [] },
      dead: { endpoints: [{ port: dead }] },
    },
  });
}

async function ask(request: string) {
  const client = await connectTo(gateway.port);
  client.write(request);
  const answer = await client.message({ noBody: request.startsWith('HEAD ') });
  client.end();
  return answer;
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n';

describe('header edits', () => {
  it('remove, set and add what is sent to the upstream', async () => {
    await serve(
      forwardRule('one', {
        requestHeaders: {
          remove: ['gone', 'x-forwarded-port'],
          set: [{ name: 'Is-Set', value: 'new' }],
          add: [{ name: 'Added', value: 'more' }],
        },
      }),
    );
    await ask(`${get}GONE: 1\r\nKept: 2\r\nis-set: old\r\nIS-SET: older\r\nADDED: first\r\n\r\n`);
    expect(withoutOwnLines(backend.requests[0]!.raw)).toBe(
      `${get}Kept: 2\r\nADDED: first\r\nIs-Set: new\r\nAdded: more\r\n\r\n`,
    );
    expect(valuesOf(backend.requests[0]!.fields, 'x-forwarded-port')).toEqual([]);
  });

  it('of the last field and of all fields', async () => {
    await serve(forwardRule('one', { requestHeaders: { remove: ['a', 'b', 'c', 'host'] } }));
    await ask(`GET / HTTP/1.1\r\nA: 1\r\nHost: a\r\nB: 2\r\nC:\r\n\r\n`);
    expect(withoutOwnLines(backend.requests[0]!.raw)).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  it('remove, set and add what is sent to the client', async () => {
    await serve(
      forwardRule('one', {
        responseHeaders: {
          remove: ['a'],
          set: [{ name: 'b', value: 'new' }],
          add: [{ name: 'Set-Cookie', value: 'x=y' }],
        },
      }),
    );
    const answer = await ask(`${get}\r\n`);
    expect(answer.raw.replace(/(?:date|x-request-id): .*\r\n/g, '')).toBe(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nb: new\r\nSet-Cookie: x=y\r\n\r\nok',
    );
  });

  it('of a backend come behind those of its rule; towards the client before them', async () => {
    const edits = (value: string) => ({
      add: [{ name: 'Added', value }],
      set: [{ name: 'Set', value }],
    });
    await serve({
      name: 'both',
      requestHeaders: edits('rule'),
      responseHeaders: edits('rule'),
      action: {
        case: 'forward',
        value: {
          backends: [
            {
              upstream: 'one',
              weight: 1,
              requestHeaders: edits('backend'),
              responseHeaders: edits('backend'),
            },
          ],
        },
      },
    });
    const answer = await ask(`${get}\r\n`);
    const { fields } = backend.requests[0]!;
    expect(valuesOf(fields, 'set')).toEqual(['backend']);
    expect(valuesOf(fields, 'added')).toEqual(['rule', 'backend']);
    expect(valuesOf(answer.fields, 'set')).toEqual(['rule']);
    expect(valuesOf(answer.fields, 'added')).toEqual(['backend', 'rule']);
  });

  it('may replace the lines of the gateway: exactly one of each remains', async () => {
    const names = ['x-request-id', 'X-Forwarded-For', 'x-forwarded-proto', 'forwarded', 'via'];
    const set = names.map((name) => ({ name, value: 'set' }));
    await serve(
      forwardRule('one', { requestHeaders: { set }, responseHeaders: { set: set.slice(0, 1) } }),
    );
    const answer = await ask(`${get}\r\n`);
    for (const name of names) {
      expect(valuesOf(backend.requests[0]!.fields, name.toLowerCase())).toEqual(['set']);
    }
    expect(valuesOf(answer.fields, 'x-request-id')).toEqual(['set']);
  });

  it('may remove the request id, both ways', async () => {
    const remove = ['x-request-id'];
    await serve(forwardRule('one', { requestHeaders: { remove }, responseHeaders: { remove } }));
    const answer = await ask(`${get}\r\n`);
    expect(valuesOf(backend.requests[0]!.fields, 'x-request-id')).toEqual([]);
    expect(valuesOf(answer.fields, 'x-request-id')).toEqual([]);
  });

  it('apply to chunked messages too', async () => {
    backend.script = answering(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    );
    const edits = { remove: ['a'], add: [{ name: 'C', value: '3' }] };
    await serve(forwardRule('one', { requestHeaders: edits, responseHeaders: edits }));
    const answer = await ask(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    );
    expect(valuesOf(backend.requests[0]!.fields, 'c')).toEqual(['3']);
    expect(backend.requests[0]!.body.toString()).toBe('x');
    expect(valuesOf(answer.fields, 'c')).toEqual(['3']);
    expect(answer.body.toString()).toBe('x');
  });
});

describe('rewrites', () => {
  const template = { path: { type: PathMatch_Type.TEMPLATE, value: '/users/{id}/posts/{post}' } };

  it.each<[name: string, rule: TestRule, target: string, sent: string]>([
    [
      'strip a prefix',
      { matches: [prefixMatch('/api')], rewrite: { path: { case: 'stripPrefix', value: '/api' } } },
      '/api/a/b?q=1&r',
      '/a/b?q=1&r',
    ],
    [
      'strip the whole path',
      { matches: [prefixMatch('/api')], rewrite: { path: { case: 'stripPrefix', value: '/api' } } },
      '/api?q',
      '/?q',
    ],
    [
      'strip a prefix with slash',
      {
        matches: [prefixMatch('/api/')],
        rewrite: { path: { case: 'stripPrefix', value: '/api/' } },
      },
      '/api/',
      '/',
    ],
    [
      'replace a prefix',
      {
        matches: [prefixMatch('/a')],
        rewrite: { path: { case: 'prefix', value: { match: '/a', replacement: '/x/y' } } },
      },
      '/a/b?q',
      '/x/y/b?q',
    ],
    [
      'replace a prefix that is all',
      {
        matches: [prefixMatch('/a')],
        rewrite: { path: { case: 'prefix', value: { match: '/a', replacement: '/x/' } } },
      },
      '/a',
      '/x/',
    ],
    [
      'replace a prefix by /',
      {
        matches: [prefixMatch('/a')],
        rewrite: { path: { case: 'prefix', value: { match: '/a', replacement: '/' } } },
      },
      '/a/b',
      '/b',
    ],
    [
      'replace the path',
      { rewrite: { path: { case: 'fullPath', value: '/fixed' } } },
      '/any/thing?q=1',
      '/fixed?q=1',
    ],
    [
      'put variables in place',
      { matches: [template], rewrite: { path: { case: 'fullPath', value: '/p/{post}/of/{id}' } } },
      '/users/7%2F8/posts/a%20b?q',
      '/p/a%20b/of/7%2F8?q',
    ],
  ])('%s', async (_name, rule, target, sent) => {
    await serve(forwardRule('one', rule));
    expect(statusOf(await ask(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`))).toBe(200);
    expect(backend.requests[0]!.startLine).toBe(`GET ${sent} HTTP/1.1`);
  });

  it('of the host: one Host, and x-forwarded-host tells the other', async () => {
    await serve(forwardRule('one', { rewrite: { host: 'inner.test' } }));
    await ask('GET / HTTP/1.1\r\nA: 1\r\nHost: outer.test\r\n\r\n');
    const { fields } = backend.requests[0]!;
    expect(valuesOf(fields, 'host')).toEqual(['inner.test']);
    expect(valuesOf(fields, 'x-forwarded-host')).toEqual(['outer.test']);
  });
});

describe('redirects', () => {
  type Redirect = MessageInitShape<typeof RedirectSchema>;
  const prefix = (replacement: string) => ({
    case: 'prefix' as const,
    value: { match: '/a', replacement },
  });
  it.each<[name: string, redirect: Redirect, host: string, location: string]>([
    ['scheme', { scheme: 'https' }, 'h:8080', 'https://h/a/b?q=1'],
    ['scheme and port', { scheme: 'https', port: 8443 }, 'h', 'https://h:8443/a/b?q=1'],
    ['scheme and its own port', { scheme: 'https', port: 443 }, 'h', 'https://h/a/b?q=1'],
    ['http and port 80', { scheme: 'http', port: 80 }, 'h', 'http://h/a/b?q=1'],
    ['host', { host: 'other.test' }, 'h', 'http://other.test/a/b?q=1'],
    ['host, the port stays', { host: 'other.test' }, 'h:8080', 'http://other.test:8080/a/b?q=1'],
    ['port', { port: 81 }, 'h:8080', 'http://h:81/a/b?q=1'],
    ['full path', { path: { case: 'fullPath', value: '/new' } }, 'h', 'http://h/new?q=1'],
    ['prefix', { path: prefix('/x') }, 'h', 'http://h/x/b?q=1'],
    ['prefix with slash', { path: prefix('/x/') }, 'h', 'http://h/x/b?q=1'],
    [
      'everything',
      { scheme: 'https', host: 'o.test', port: 1, path: prefix('/') },
      'h',
      'https://o.test:1/b?q=1',
    ],
    ['an IPv6 host', { scheme: 'https' }, '[::1]:8080', 'https://[::1]/a/b?q=1'],
  ])('%s', async (_name, redirect, host, location) => {
    await serve({
      name: 'r',
      matches: [prefixMatch('/a')],
      action: { case: 'redirect', value: { status: 308, ...redirect } },
    });
    const answer = await ask(`GET /a/b?q=1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(answer.startLine).toBe('HTTP/1.1 308 Permanent Redirect');
    expect(valuesOf(answer.fields, 'location')).toEqual([location]);
    expect(valuesOf(answer.fields, 'content-length')).toEqual(['0']);
  });

  it('without a host to name (HTTP/1.0) are relative', async () => {
    await serve({
      name: 'r',
      action: {
        case: 'redirect',
        value: { status: 302, path: { case: 'fullPath', value: '/new' } },
      },
    });
    const answer = await ask('GET /a?q HTTP/1.0\r\n\r\n');
    expect(valuesOf(answer.fields, 'location')).toEqual(['/new?q']);
  });
});

describe('direct answers', () => {
  const rule = (status: number, body: string): TestRule => ({
    name: 'r',
    responseHeaders: { set: [{ name: 'X', value: '1' }] },
    action: {
      case: 'respond',
      value: {
        status,
        body: Buffer.from(body),
        headers: [{ name: 'Content-Type', value: 'text/plain' }],
      },
    },
  });

  it('carry status, fields and body', async () => {
    await serve(rule(418, 'h\u00e9'));
    const answer = await ask(`${get}X-Request-Id: r\r\n\r\n`);
    const [date] = valuesOf(answer.fields, 'date');
    expect(new Date(String(date)).toUTCString()).toBe(date);
    expect(answer.raw.replace(`date: ${date}\r\n`, '')).toBe(
      Buffer.from(
        'HTTP/1.1 418 \r\nContent-Type: text/plain\r\ncontent-length: 3\r\nx-request-id: r\r\nX: 1\r\n\r\nh\u00e9',
      ).toString('latin1'),
    );
  });

  it('to HEAD have the length and no body', async () => {
    await serve(rule(200, 'four'));
    const answer = await ask('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(valuesOf(answer.fields, 'content-length')).toEqual(['4']);
    expect(answer.body).toHaveLength(0);
  });

  it('with 204 have neither', async () => {
    await serve(rule(204, 'four'));
    const answer = await ask(`${get}\r\n`);
    expect(valuesOf(answer.fields, 'content-length')).toEqual([]);
    expect(answer.raw).toMatch(/\r\n\r\n$/);
  });

  it.each([
    ['no rule matches', [], 404, 'Route not found'],
    ['the backend is unresolved', [{ '': 1 }], 500, 'Backend not resolved'],
    ['there are no endpoints', [{ none: 1 }], 503, 'Service unavailable'],
    ['there are no backends', [{}], 500, 'Backend not resolved'],
    ['all weights are 0', [{ one: 0 }], 500, 'Backend not resolved'],
    ['all endpoints refuse', [{ dead: 1 }], 502, 'Bad gateway'],
  ] as [string, Record<string, number>[], number, string][])(
    'of the gateway when %s',
    async (_name, backends, status, error) => {
      await serve(...backends.map((weights) => forwardRule(weights)));
      const answer = await ask(`${get}\r\n`);
      expect(statusOf(answer)).toBe(status);
      expect(JSON.parse(answer.body.toString())).toEqual({ error });
      const head = await ask('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(statusOf(head)).toBe(status);
    },
  );
});

describe('weights', () => {
  it('are exact over one cycle', async () => {
    await serve(forwardRule({ one: 5, two: 2, '': 1 }));
    const client = await connectTo(gateway.port);
    let failed = 0;
    for (let i = 0; i < 16; i++) {
      client.write(`${get}\r\n`);
      if (statusOf(await client.message()) === 500) failed++;
    }
    client.end();
    expect([backend.requests.length, second.requests.length, failed]).toEqual([10, 4, 2]);
  });
});

describe('mirrors', () => {
  const mirrored = (mirror: string, more: TestRule = {}) =>
    forwardRule('one', { mirrors: [{ upstream: mirror, percent: 100 }], ...more });
  const post = (body: string) =>
    `POST /m?q HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  it('get a copy with its body; their answers are ignored', async () => {
    second.script = answering('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
    await serve(mirrored('two'));
    const body = 'x'.repeat(40_000);
    expect(statusOf(await ask(post(body)))).toBe(200);
    await expect.poll(() => second.requests.length, patient).toBe(1);
    expect(second.requests[0]!.raw).toBe(backend.requests[0]!.raw);
  });

  it('get a copy of chunks that come one by one', async () => {
    await serve(mirrored('two'));
    const client = await connectTo(gateway.port);
    await client.writePieces([
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
      '2\r\nhi\r\n',
      '3\r\nyou\r\n',
      '0\r\nX: y\r\n\r\n',
    ]);
    expect(statusOf(await client.message())).toBe(200);
    await expect.poll(() => second.requests.length, patient).toBe(1);
    expect(second.requests[0]!.body.toString()).toBe('hiyou');
    expect(second.requests[0]!.trailers).toBe('X: y\r\n');
    client.end();
  });

  it('that are dead, mute or talk nonsense harm nobody', async () => {
    for (const mirror of ['dead', 'none', 'two']) {
      second.script =
        mirror === 'two' ? answering('nonsense\r\n\r\n') : { connection: () => undefined };
      await serve(mirrored(mirror));
      for (let i = 0; i < 5; i++) expect(statusOf(await ask(post('hi')))).toBe(200);
    }
  });

  it('are not waited for', async () => {
    second.script = { connection: () => undefined };
    await serve(mirrored('two'));
    expect(statusOf(await ask(post('hi')))).toBe(200);
    const mute = await second.connection(0);
    await mute.head();
    mute.reset();
  });

  it('do not get what is too long to keep', async () => {
    await serve(mirrored('two'));
    expect(statusOf(await ask(post('x'.repeat(200_000))))).toBe(200);
    expect(backend.requests[0]!.body).toHaveLength(200_000);
    expect(statusOf(await ask(post('short')))).toBe(200);
    await expect.poll(() => second.requests.length, patient).toBe(1);
    expect(second.requests[0]!.body.toString()).toBe('short');
  });

  it('of no percent get nothing', async () => {
    await serve(mirrored('two', { mirrors: [{ upstream: 'two', percent: 0 }] }));
    expect(statusOf(await ask(post('hi')))).toBe(200);
    expect(second.connections).toHaveLength(0);
  });
});
