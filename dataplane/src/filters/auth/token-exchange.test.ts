import type { AuthenticationMethod, IdentityFields } from '@gatehouse/crds';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answering,
  type BackendScript,
  type RawBackend,
  refusedPort,
  startBackend,
} from '../../testing/backend.ts';
import { type GuardedBackend, startGuardedBackend } from '../../testing/guarded-backend.ts';
import { type Message, valuesOf } from '../../testing/message.ts';
import { patient } from '../../testing/peer.ts';

let guarded: GuardedBackend;
let issuer: RawBackend;
let server: RawBackend;

beforeAll(async () => {
  guarded = await startGuardedBackend();
  issuer = await startBackend(answering(json({ active: true, sub: 'alice' })));
  server = await startBackend();
});
beforeEach(() => server.reset());
afterAll(async () => {
  await guarded.close();
  await issuer.close();
  await server.close();
});

function json(body: object, status = '200 OK'): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}
const gives = (body: object, status?: string): BackendScript => answering(json(body, status));
const good = { access_token: 'inner', token_type: 'Bearer', expires_in: 300 };

let served = 0;
type Exchange = NonNullable<IdentityFields['exchange']>;

/** Each time by another URL: what a policy has learned stays with it while it does not change. */
function serve(
  more: Partial<Exchange> = {},
  method: Partial<AuthenticationMethod> = {},
  entries = {},
) {
  const introspection = {
    url: `http://127.0.0.1:${issuer.port}/`,
    timeout: '5s',
    ...method.introspection,
  };
  const exchange = { url: `http://127.0.0.1:${server.port}/token?${++served}`, ...more };
  return guarded.guard([{ name: 'tokens', introspection, ...method } as AuthenticationMethod], {
    entries: { 'policy/default/client/clientSecret': { clientSecret: 'sesame' }, ...entries },
    identity: { defaultHeaders: true, token: 'Exchange', exchange },
  });
}
const ask = (token = 'outer') => guarded.ask(`Authorization: Bearer ${token}\r\n`);
const formOf = ({ body }: Message) => Object.fromEntries(new URLSearchParams(body.toString()));
const denial = () => guarded.gateway.denials.at(-1);

describe('a token', () => {
  it('is exchanged, once for as long as the new one is good', async () => {
    server.script = gives(good);
    await serve({
      clientId: 'gateway',
      clientSecretRef: { name: 'client' },
      audience: 'orders',
      scope: 'read write',
    });
    for (let i = 0; i < 3; i++) {
      const { status, sent } = await ask();
      expect([status, sent('authorization'), sent('x-user-id')]).toEqual([
        200,
        ['Bearer inner'],
        ['alice'],
      ]);
    }
    expect(server.requests).toHaveLength(1);
    const [request] = server.requests;
    expect(formOf(request!)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'outer',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'orders',
      scope: 'read write',
    });
    expect(valuesOf(request!.fields, 'authorization')).toEqual([`Basic ${btoa('gateway:sesame')}`]);
    await ask('another');
    expect(server.requests).toHaveLength(2);
  });

  it('is exchanged again when the new one ends soon', async () => {
    server.script = gives({ ...good, expires_in: 10 });
    await serve();
    await ask();
    await ask();
    expect(server.requests).toHaveLength(2);
  });

  it('is exchanged once for requests that come at the same time', async () => {
    const waiting: (() => void)[] = [];
    server.script = { request: (_, peer) => waiting.push(() => peer.write(json(good))) };
    await serve();
    const all = Promise.all(Array.from({ length: 5 }, () => ask()));
    await expect.poll(() => guarded.gateway.connections(), patient).toBe(5);
    await expect.poll(() => waiting.length, patient).toBe(1);
    waiting[0]!();
    expect((await all).map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(server.requests).toHaveLength(1);
  });

  it('from a cookie takes the place of whatever is in Authorization', async () => {
    server.script = gives(good);
    const introspection = {
      url: `http://127.0.0.1:${issuer.port}/`,
      timeout: '5s',
      from: [{ cookie: 't' }],
    };
    await serve({}, { introspection });
    const { sent } = await guarded.ask(
      'Cookie: t=outer\r\nAuthorization: Basic x\r\nAuthorization: y\r\n',
    );
    expect(sent('authorization')).toEqual(['Bearer inner']);
    expect(sent('cookie')).toEqual([]);
  });

  it.each<[string, BackendScript, number, RegExp]>([
    [
      'refuses it',
      gives({ error: 'invalid_target' }, '400 Bad Request'),
      500,
      /not exchanged: invalid_target$/,
    ],
    [
      'refuses us',
      gives({ error: 'invalid_client' }, '401 Who'),
      500,
      /not exchanged: invalid_client$/,
    ],
    ['refuses with an attack', gives({ error: 'a\r\nb' }, '400 Bad'), 500, /an unknown error$/],
    ['fails', gives({}, '500 Oh'), 503, /the answer is 500/],
    ['answers HTML', answering('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n<'), 503, /not JSON/],
    [
      'redirects',
      answering('HTTP/1.1 307 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'),
      503,
      /redirect/,
    ],
    ['gives no token', gives({ token_type: 'Bearer' }), 503, /no access_token/],
    [
      'gives a token of lines',
      gives({ ...good, access_token: 'a\r\nX-Evil: b' }),
      503,
      /no access_token/,
    ],
    ['gives a token of another type', gives({ ...good, token_type: 'mac' }), 503, /type Bearer/],
    ['gives too much', gives({ ...good, access_token: 'x'.repeat(70_000) }), 503, /larger than/],
    [
      'cuts the connection',
      { request: (_, { socket }) => socket.destroy() },
      503,
      /request failed/,
    ],
  ])('goes nowhere when the server %s', async (_, script, expected, why) => {
    server.script = script;
    await serve();
    const { status, target, body } = await ask('swordfish');
    expect([status, target]).toEqual([expected, undefined]);
    expect(body).not.toContain('invalid_');
    expect(denial()).toMatchObject({
      rule: 'identity/identity',
      reason: expect.stringMatching(why),
    });
    expect(denial()?.reason).not.toContain('swordfish');
  });

  it('that is refused is not asked about at once again', async () => {
    server.script = gives({ error: 'invalid_grant' }, '400 Bad Request');
    await serve();
    await ask();
    await ask();
    expect(server.requests).toHaveLength(1);
  });

  it('goes nowhere when the server is gone', async () => {
    await serve({ url: `http://127.0.0.1:${await refusedPort()}/` });
    expect((await ask()).status).toBe(503);
    expect(denial()?.reason).toContain('ECONNREFUSED');
  });

  it('goes nowhere when too many wait', async () => {
    const waiting: (() => void)[] = [];
    server.script = { request: (_, peer) => waiting.push(() => peer.write(json(good))) };
    await serve();
    const all = Array.from({ length: 16 + 256 + 2 }, (_, i) => ask(`t${i}`));
    const settled = Promise.all(all);
    let refused = 0;
    for (const answer of all) void answer.then(({ status }) => (refused += Number(status === 503)));
    await expect.poll(() => refused, patient).toBe(2);
    await expect.poll(() => waiting.length, patient).toBe(16);
    server.script = gives(good);
    for (const go of waiting) go();
    expect((await settled).filter(({ status }) => status === 200)).toHaveLength(16 + 256);
  });
});

it('a password is never sent to be exchanged', async () => {
  await serve({}, { introspection: undefined, basic: { secretRef: { name: 'users' } } } as never, {
    'policy/default/users/auth': { auth: 'a:{SHA}hvfkN/qlp/zhXR3cuerq6jd2Z7g=' },
  });
  const { status, sent } = await guarded.ask(`Authorization: Basic ${btoa('a:a')}\r\n`);
  expect([status, sent('authorization'), server.requests.length]).toEqual([200, [], 0]);
});

it('a policy whose client secret is missing is refused', async () => {
  const served = serve({ clientId: 'gateway', clientSecretRef: { name: 'lost' } });
  await expect(served).rejects.toThrow(/identity.exchange.clientSecretRef/);
});
