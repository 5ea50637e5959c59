import type { IntrospectionMethod } from '@gatehouse/crds';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answering,
  type BackendScript,
  type RawBackend,
  refusedPort,
  startBackend,
} from '../../../testing/backend.ts';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';
import { type Message, valuesOf } from '../../../testing/message.ts';
import { patient } from '../../../testing/peer.ts';

let guarded: GuardedBackend;
let issuer: RawBackend;

beforeAll(async () => {
  guarded = await startGuardedBackend();
  issuer = await startBackend();
});
beforeEach(() => issuer.reset());
afterAll(async () => {
  await guarded.close();
  await issuer.close();
});

const json = (
  body: object | string,
  lines = 'Content-Type: application/json\r\n',
  status = '200 OK',
) => {
  const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return `HTTP/1.1 ${status}\r\n${lines}Content-Length: ${text.length}\r\n\r\n${text.toString('latin1')}`;
};
const answers = (body: object | string, lines?: string, status?: string): BackendScript =>
  answering(Buffer.from(json(body, lines, status), 'latin1'));

let served = 0;
/** Each time by another URL: what a policy has learned stays with it while it does not change. */
const serve = (config: Partial<IntrospectionMethod> = {}, entries = {}) =>
  guarded.guard(
    [
      {
        name: 'tokens',
        introspection: {
          url: `http://127.0.0.1:${issuer.port}/introspect?x=${++served}`,
          timeout: '5s',
          ...config,
        },
      },
    ],
    { entries, identity: { defaultHeaders: true } },
  );
const bearer = (token: string) => `Authorization: Bearer ${token}\r\n`;
const formOf = ({ body }: Message) => Object.fromEntries(new URLSearchParams(body.toString()));
const reason = () => guarded.gateway.denials.at(-1)?.reason;
const unavailable = [503, '{"error":"Authentication is not available"}'];
const soon = () => Math.floor(Date.now() / 1000) + 600;

describe('a token that its issuer calls active', () => {
  it('gets through with its claims, and is asked about once', async () => {
    issuer.script = answers({ active: true, sub: 'alice', roles: ['editor'], exp: soon() });
    await serve();
    for (let i = 0; i < 3; i++) {
      const answer = await guarded.ask(bearer('abc'));
      expect([answer.status, answer.sent('x-user-id'), answer.sent('x-user-role')]).toEqual([
        200,
        ['alice'],
        ['editor'],
      ]);
    }
    expect(issuer.requests).toHaveLength(1);
    const [request] = issuer.requests;
    expect(request!.startLine).toBe(`POST /introspect?x=${served} HTTP/1.1`);
    expect(formOf(request!)).toEqual({ token: 'abc', token_type_hint: 'access_token' });
    expect(valuesOf(request!.fields, 'authorization')).toEqual([]);
  });

  it('is asked about again when nothing is to be kept', async () => {
    issuer.script = answers({ active: true, sub: 'alice' });
    await serve({ cache: '0s' });
    await guarded.ask(bearer('abc'));
    await guarded.ask(bearer('abc'));
    expect(issuer.requests).toHaveLength(2);
  });

  it('is not kept beyond its exp', async () => {
    const exp = Math.ceil(Date.now() / 1000) + 1;
    issuer.script = answers({ active: true, sub: 'alice', exp });
    await serve({ cache: '1h' });
    expect((await guarded.ask(bearer('abc'))).status).toBe(200);
    await expect
      .poll(async () => (await guarded.ask(bearer('abc'))).status, { ...patient, interval: 100 })
      .toBe(401);
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
    expect(reason()).toBe('the token has expired');
  });

  it('is asked about once by requests that come at the same time', async () => {
    const waiting: (() => void)[] = [];
    issuer.script = {
      request: (_, peer) => waiting.push(() => peer.write(json({ active: true, sub: 'alice' }))),
    };
    await serve();
    const all = Promise.all(Array.from({ length: 10 }, () => guarded.ask(bearer('abc'))));
    await expect.poll(() => guarded.gateway.connections(), patient).toBe(10);
    await expect.poll(() => waiting.length, patient).toBe(1);
    waiting[0]!();
    expect((await all).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(issuer.requests).toHaveLength(1);
  });

  it('is kept from another that only looks like it', async () => {
    issuer.script = {
      request: (request, peer) => {
        const good = formOf(request).token === 'abc';
        peer.write(json(good ? { active: true, sub: 'alice' } : { active: false }));
      },
    };
    await serve();
    const seen = [];
    for (const token of ['abc', 'abcd', 'ABC', 'abc', 'ab']) {
      seen.push((await guarded.ask(bearer(token))).status);
    }
    expect(seen).toEqual([200, 401, 401, 200, 401]);
  });
});

describe('the client', () => {
  it('says who it is by HTTP Basic, both parts form-encoded', async () => {
    issuer.script = answers({ active: true, sub: 'alice' });
    await serve(
      { clientId: 'gate way:1', clientSecretRef: { name: 'client' } },
      { 'policy/default/client/clientSecret': { clientSecret: 'sésame+%\n' } },
    );
    expect((await guarded.ask(bearer('abc'))).status).toBe(200);
    const [value = ''] = valuesOf(issuer.requests[0]!.fields, 'authorization');
    expect(Buffer.from(value.slice(6), 'base64').toString()).toBe('gate+way%3A1:s%C3%A9same%2B%25');
  });

  it('without a secret names itself in the form', async () => {
    issuer.script = answers({ active: true, sub: 'alice' });
    await serve({ clientId: 'gateway' });
    await guarded.ask(bearer('abc'));
    expect(formOf(issuer.requests[0]!)).toMatchObject({ client_id: 'gateway' });
  });

  it('whose secret is missing is refused', async () => {
    const refused = serve({ clientId: 'gateway', clientSecretRef: { name: 'lost' } });
    await expect(refused).rejects.toThrow(/introspection.clientSecretRef/);
  });
});

describe('a token', () => {
  it.each<[string, BackendScript, string]>([
    ['not active', answers({ active: false }), 'the issuer says that the token is not active'],
    ['expired all the same', answers({ active: true, exp: 1 }), 'the token has expired'],
  ])('that is %s gets 401', async (_, script, why) => {
    issuer.script = script;
    await serve();
    for (let i = 0; i < 2; i++) {
      const answer = await guarded.ask(bearer('swordfish'));
      expect([answer.status, answer.body]).toEqual([401, '{"error":"Invalid token"}']);
      expect(answer.values('www-authenticate')).toEqual([
        'Bearer realm="gatehouse", error="invalid_token"',
      ]);
      expect(answer.target).toBeUndefined();
    }
    expect(reason()).toBe(why);
    expect(issuer.requests).toHaveLength(1);
  });

  it.each<[string, string]>([
    ['sent twice', bearer('a') + bearer('b')],
    ['of bytes beyond ASCII', bearer('caf\xe9')],
  ])('that is %s gets 401, and nobody is asked', async (_, lines) => {
    await serve();
    expect((await guarded.ask(lines)).status).toBe(401);
    expect(issuer.requests).toHaveLength(0);
  });

  it('is asked for where there is none', async () => {
    await serve();
    const answer = await guarded.ask();
    expect([answer.status, answer.values('www-authenticate')]).toEqual([
      401,
      ['Bearer realm="gatehouse"'],
    ]);
  });

  const chunked =
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';

  it.each<[string, BackendScript, RegExp]>([
    ['500', answers({ active: true }, undefined, '500 Oh'), /the answer is 500$/],
    ['401', answers({ active: true }, undefined, '401 Who'), /the answer is 401$/],
    [
      'a redirect',
      answers({}, 'Location: http://127.0.0.1:1/\r\n', '302 Found'),
      /302, a redirect/,
    ],
    ['a redirect that keeps the form', answers({}, 'Location: /\r\n', '307 There'), /redirect/],
    ['HTML', answers('<html>', 'Content-Type: text/html\r\n'), /not JSON by its content-type/],
    ['HTML called JSON', answers('<html>'), /not valid JSON/],
    ['a list', answers('[{"active":true}]'), /not a JSON object/],
    ['null', answers('null'), /not a JSON object/],
    ['nothing', answers(''), /not valid JSON/],
    ['no word of active', answers({ sub: 'alice' }), /has no "active"/],
    ['active as text', answers({ active: 'true', sub: 'alice' }), /has no "active"/],
    ['active as a number', answers({ active: 1, sub: 'alice' }), /has no "active"/],
    ['much too much', answers({ active: true, pad: 'x'.repeat(70_000) }), /larger than 65536/],
    [
      'much too much in chunks',
      answering(`${chunked}11170\r\n${'x'.repeat(70_000)}\r\n`),
      /larger than/,
    ],
    [
      'compressed bytes',
      answers({ active: true }, 'Content-Type: application/json\r\nContent-Encoding: gzip\r\n'),
      /compressed/,
    ],
    ['a cut connection', { request: (_, { socket }) => socket.destroy() }, /request failed/],
  ])('about which the issuer answers %s gets 503, never more', async (_, script, why) => {
    issuer.script = script;
    await serve();
    const answer = await guarded.ask(bearer('swordfish'));
    expect([answer.status, answer.body]).toEqual(unavailable);
    expect(answer.target).toBeUndefined();
    expect(reason()).toMatch(why);
    expect(JSON.stringify(guarded.gateway.denials)).not.toContain('swordfish');
  });

  it('that failed is asked about again', async () => {
    issuer.script = answers({}, undefined, '500 Oh');
    await serve();
    expect((await guarded.ask(bearer('abc'))).status).toBe(503);
    issuer.script = answers({ active: true, sub: 'alice' });
    expect((await guarded.ask(bearer('abc'))).status).toBe(200);
  });

  it('waits no longer than it may', async () => {
    issuer.script = { request: () => undefined };
    await serve({ timeout: '100ms' });
    const answer = await guarded.ask(bearer('abc'));
    expect([answer.status, answer.body]).toEqual(unavailable);
    expect(reason()).toContain('no answer within 100 ms');
  });

  it('whose issuer is gone gets 503', async () => {
    await serve({ url: `http://127.0.0.1:${await refusedPort()}/` });
    expect((await guarded.ask(bearer('abc'))).status).toBe(503);
    expect(reason()).toContain('ECONNREFUSED');
  });

  it('is refused when too many wait', async () => {
    const waiting: (() => void)[] = [];
    issuer.script = {
      request: (_, peer) => waiting.push(() => peer.write(json({ active: true, sub: 'alice' }))),
    };
    await serve({ timeout: '20s' });
    const all = Array.from({ length: 16 + 256 + 3 }, (_, i) => guarded.ask(bearer(`t${i}`)));
    const settled = Promise.all(all);
    let refused = 0;
    for (const answer of all) void answer.then(({ status }) => (refused += Number(status === 503)));
    await expect.poll(() => refused, patient).toBe(3);
    await expect.poll(() => waiting.length, patient).toBe(16);
    issuer.script = answers({ active: true, sub: 'alice' });
    for (const answer of waiting) answer();
    const counts = (await settled).filter(({ status }) => status === 200).length;
    expect([counts, reason()]).toEqual([16 + 256, expect.stringContaining('too many questions')]);
  });

  it('never falls to anybody when the issuer is gone', async () => {
    issuer.script = answers({}, undefined, '500 Oh');
    const introspection = { url: `http://127.0.0.1:${issuer.port}/`, timeout: '5s' };
    await guarded.guard([
      { name: 'tokens', introspection },
      { name: 'anybody', anonymous: {} },
    ]);
    expect((await guarded.ask(bearer('abc'))).status).toBe(503);
    expect((await guarded.ask()).status).toBe(200);
  });
});
