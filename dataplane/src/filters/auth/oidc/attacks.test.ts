import type { OidcMethod } from '@gatehouse/crds';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refusedPort } from '../../../testing/backend.ts';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';
import { patient } from '../../../testing/peer.ts';
import { type Browser, openBrowser, type Page } from './testing/browser.ts';
import {
  json,
  type Respond,
  type ScriptedProvider,
  startScriptedProvider,
} from './testing/scripted-provider.ts';

const shop = 'http://shop.test';
const clientSecret = 'client secret: 32 bytes at least!';

let guarded: GuardedBackend;
let provider: ScriptedProvider;
let browser: Browser;

beforeAll(async () => {
  provider = await startScriptedProvider('client');
});
// Each with a gateway of its own: one writes so many lines a second about what it refuses.
beforeEach(async () => {
  provider.reset();
  guarded = await startGuardedBackend();
  browser = openBrowser({ 'shop.test': guarded.gateway.port });
});
afterEach(async () => {
  const told = JSON.stringify(guarded.gateway.denials) + guarded.gateway.metrics();
  await guarded.close();
  expect(told).not.toMatch(/client secret|xxxxxxxx|code:|alice|admin|mallory/);
});
afterAll(() => provider.close());

const serve = (more: Partial<OidcMethod> = {}) =>
  guarded.guard(
    [
      {
        name: 'login',
        oidc: {
          issuer: provider.issuer,
          clientId: 'client',
          clientSecretRef: { name: 'client' },
          cookieSecretRef: { name: 'cookies' },
          ...more,
        },
      },
    ],
    {
      entries: {
        'policy/default/client/clientSecret': { clientSecret },
        'policy/default/cookies/cookieSecret': { cookieSecret: 'x'.repeat(32) },
      },
    },
  );
const reason = () => guarded.gateway.denials.at(-1)?.reason;

/** Begins a login; what the provider was sent. */
async function begin(): Promise<URLSearchParams> {
  const { headers } = await browser.get(`${shop}/page`);
  return new URL(headers.location ?? '').searchParams;
}

/** Comes back from the provider, with these parameters beside the right ones. */
async function comeBack(sent: URLSearchParams, more: Record<string, string> = {}): Promise<Page> {
  const right = { state: sent.get('state') ?? '', code: `code:${sent.get('nonce')}` };
  return browser.get(`${shop}/oauth2/callback?${new URLSearchParams({ ...right, ...more })}`);
}

const loginFailed = '{"error":"Login failed"}';
const hasSession = () => browser.cookies('shop.test').has('gatehouse-session');

describe('a login', () => {
  it('goes well when everything is as it should be', async () => {
    await serve();
    const sent = await begin();
    expect(sent.get('tenant')).toBe('a');
    const page = await comeBack(sent);
    expect([page.status, page.headers.location]).toEqual([302, '/page']);
    expect(hasSession()).toBe(true);
    const [{ form, authorization } = { form: {}, authorization: '' }] = provider.forms;
    expect(form).toMatchObject({
      grant_type: 'authorization_code',
      redirect_uri: `${shop}/oauth2/callback`,
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(authorization).toMatch(/^Basic /);
    expect((await browser.get(`${shop}/`)).status).toBe(200);
  });

  it('sends the secret in the form to a provider that takes no other', async () => {
    provider.discovery = { token_endpoint_auth_methods_supported: ['client_secret_post'] };
    await serve();
    await comeBack(await begin());
    const [{ form, authorization } = { form: {}, authorization: '' }] = provider.forms;
    expect([form.client_secret, authorization]).toEqual([clientSecret, '']);
  });

  it.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'http://evil.test' }],
    ['for another client', { aud: 'other' }],
    ['for us and another, asked for by the other', { aud: ['client', 'other'], azp: 'other' }],
    ['for us and another, asked for by nobody', { aud: ['client', 'other'] }],
    ['asked for by another', { azp: 'other' }],
    ['that has expired', { exp: 1 }],
    ['that never expires', { exp: undefined }],
    ['of no known time', { iat: undefined }],
    ['that is not valid yet', { nbf: 4_000_000_000 }],
    ['of nobody', { sub: undefined }],
    ['of another login', { nonce: 'other' }],
    ['of no login', { nonce: undefined }],
  ])('is refused with an ID token %s', async (_, claims) => {
    provider.claims = claims;
    await serve();
    const page = await comeBack(await begin());
    expect([page.status, page.body, hasSession()]).toEqual([403, loginFailed, false]);
    expect(reason()).toMatch(/the ID token is/);
  });

  const forged: [string, (nonce: string) => unknown | Promise<unknown>][] = [
    ['nobody', (nonce) => new UnsecuredJWT(goodClaims(nonce)).encode()],
    [
      'our own secret',
      (nonce) =>
        new SignJWT(goodClaims(nonce))
          .setProtectedHeader({ alg: 'HS256' })
          .sign(Buffer.from(clientSecret)),
    ],
    [
      'another key of the same name',
      async (nonce) => {
        const other = await startScriptedProvider('client');
        const token = await other.sign(goodClaims(nonce));
        await other.close();
        return token;
      },
    ],
    ['nothing: it is no token', () => 'a.b.c'],
    ['nothing: there is none', () => undefined],
    ['nothing: it is a number', () => 1],
  ];
  const goodClaims = (nonce: string) => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: provider.issuer, aud: 'client', sub: 'admin', iat: now, exp: now + 300, nonce };
  };

  it.each(forged)('is refused with an ID token that is signed by %s', async (_, make) => {
    await serve();
    const sent = await begin();
    provider.tokens = { id_token: await make(sent.get('nonce') ?? '') };
    const page = await comeBack(sent);
    expect([page.status, page.body, hasSession()]).toEqual([403, loginFailed, false]);
    expect(reason()).toMatch(/the ID token is not good|gives no ID token/);
    expect(reason()).not.toContain('admin');
  });

  it.each<[string, Record<string, string>, number, RegExp]>([
    ['another state', { state: 'x'.repeat(43) }, 400, /no login of this state/],
    ['no state', { state: '' }, 400, /no login of this state/],
    ['an error', { error: 'access_denied' }, 403, /says access_denied$/],
    ['an error that is an attack', { error: '<script>"\r\n' }, 403, /says an unknown error$/],
    ['no code', { code: '' }, 403, /no code/],
    ['another issuer (RFC 9207)', { iss: 'http://evil.test' }, 403, /another issuer/],
  ])('is refused with %s', async (_, more, status, why) => {
    await serve();
    const page = await comeBack(await begin(), more);
    expect([page.status, page.body, hasSession()]).toEqual([status, loginFailed, false]);
    expect(reason()).toMatch(why);
    expect(provider.forms).toEqual([]);
  });

  it('is refused without an issuer where the provider names itself', async () => {
    provider.discovery = { authorization_response_iss_parameter_supported: true };
    await serve();
    const sent = await begin();
    expect((await comeBack(sent)).status).toBe(403);
    expect((await comeBack(await begin(), { iss: provider.issuer })).status).toBe(302);
  });

  it('is refused with a parameter twice, or by another method', async () => {
    await serve();
    const sent = await begin();
    const url = `${shop}/oauth2/callback?state=${sent.get('state')}&code=a&code=b`;
    expect((await browser.get(url)).status).toBe(400);
    expect((await browser.get(url, {}, 'POST')).status).toBe(400);
  });

  it('counts in the browser that began it alone, and once', async () => {
    await serve();
    const sent = await begin();
    const victim = openBrowser({ 'shop.test': guarded.gateway.port });
    const url = `${shop}/oauth2/callback?state=${sent.get('state')}&code=code:${sent.get('nonce')}`;
    expect((await victim.get(url)).status).toBe(400);
    expect((await comeBack(sent)).status).toBe(302);
    browser.cookies('shop.test').delete('gatehouse-session');
    expect((await comeBack(sent)).status).toBe(400);
  });

  it('is refused when its code is', async () => {
    provider.script = { token: (_, response) => json(response, { error: 'invalid_grant' }, 400) };
    await serve();
    expect((await comeBack(await begin())).status).toBe(403);
    expect(reason()).toBe('the code is refused: invalid_grant');
  });

  it('is refused when its tokens are too large for cookies', async () => {
    provider.tokens = { access_token: 'x'.repeat(20_000) };
    await serve();
    expect((await comeBack(await begin())).status).toBe(403);
    expect(reason()).toBe('the tokens are too large for cookies');
  });

  it('learns of new keys', async () => {
    await serve();
    expect((await comeBack(await begin())).status).toBe(302);
    await provider.rotate();
    browser.cookies('shop.test').clear();
    expect((await comeBack(await begin())).status).toBe(302);
    expect(provider.asked.filter((path) => path === '/keys')).toHaveLength(2);
    // Whoever makes up keys does not make us ask again and again.
    await provider.rotate();
    browser.cookies('shop.test').clear();
    expect((await comeBack(await begin())).status).toBe(403);
    expect(provider.asked.filter((path) => path === '/keys')).toHaveLength(2);
  });
});

const answers: [string, Respond, RegExp][] = [
  ['500', (_, response) => json(response, {}, 500), /is 500/],
  ['HTML', (_, response) => void response.end('<html>'), /JSON/],
  ['a list', (_, response) => json(response, []), /JSON object/],
  ['too much', (_, response) => void response.end('x'.repeat(70_000)), /larger than 65536/],
  ['a redirect', (_, response) => void response.writeHead(302, { location: '/' }).end(), /302/],
  ['nothing', (request) => void request.socket.destroy(), /request failed/],
];

describe('a provider that answers', () => {
  it.each(answers)('%s for its discovery lets nobody through', async (_, discovery, why) => {
    provider.script = { discovery };
    await serve();
    const page = await browser.get(`${shop}/`);
    expect([page.status, page.body]).toEqual([503, '{"error":"Authentication is not available"}']);
    expect(reason()).toMatch(why);
    const asked = provider.asked.length;
    await browser.get(`${shop}/`);
    expect(provider.asked).toHaveLength(asked);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['another issuer', { issuer: 'http://evil.test' }, /another issuer/],
    ['no issuer', { issuer: undefined }, /another issuer/],
    ['no token endpoint', { token_endpoint: undefined }, /no usable token_endpoint/],
    [
      'a script to go to',
      { authorization_endpoint: 'javascript:alert(1)' },
      /no usable authorization/,
    ],
    ['a file of keys', { jwks_uri: 'file:///etc/passwd' }, /no usable jwks_uri/],
  ])('%s in its discovery lets nobody through', async (_, discovery, why) => {
    provider.discovery = discovery;
    await serve();
    expect((await browser.get(`${shop}/`)).status).toBe(503);
    expect(reason()).toMatch(why);
  });

  it.each(answers)('%s for tokens lets nobody through', async (_, token, why) => {
    provider.script = { token };
    await serve();
    const page = await comeBack(await begin());
    expect([page.status, hasSession()]).toEqual([503, false]);
    expect(reason()).toMatch(why);
  });

  it.each(answers)('%s for keys lets nobody through', async (_, keys) => {
    provider.script = { keys };
    await serve();
    const page = await comeBack(await begin());
    expect([page.status, hasSession()]).toEqual([503, false]);
    expect(reason()).toMatch(/cannot be finished/);
  });
});

describe('a session', () => {
  const renewing = { refresh_token: 'first', expires_in: 31 };

  async function loggedIn() {
    provider.tokens = renewing;
    await serve();
    await comeBack(await begin());
    expect((await browser.get(`${shop}/`)).status).toBe(200);
    provider.forms.length = 0;
  }
  const status = async () => (await browser.get(`${shop}/`, { accept: 'text/plain' })).status;
  const renewals = async () => {
    await status();
    return provider.forms.length;
  };
  const renewed = () => expect.poll(renewals, patient);

  it('is renewed with its refresh token, which may be replaced', async () => {
    await loggedIn();
    provider.tokens = { ...renewing, refresh_token: 'second', id_token: undefined };
    await renewed().toBe(1);
    expect(provider.forms[0]?.form).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'first',
    });
    await renewed().toBe(2);
    expect(provider.forms[1]?.form).toMatchObject({ refresh_token: 'second' });
    expect(await status()).toBe(200);
  });

  it('is renewed again and again with a refresh token that stays as it is', async () => {
    await loggedIn();
    for (let i = 1; i <= 2; i++) {
      await renewed().toBe(i);
    }
    expect(await status()).toBe(200);
  });

  it.each<[string, () => void, number]>([
    [
      'its refresh token is refused',
      () => {
        provider.script = {
          token: (_, response) => json(response, { error: 'invalid_grant' }, 400),
        };
      },
      401,
    ],
    [
      'it would become that of another',
      () => {
        provider.claims = { sub: 'mallory' };
      },
      401,
    ],
    [
      'the provider fails',
      () => {
        provider.script = { token: (_, response) => json(response, {}, 500) };
      },
      503,
    ],
    [
      'the provider sends a token that is not good',
      () => {
        provider.tokens = { ...renewing, id_token: 'a.b.c' };
      },
      401,
    ],
  ])('does not go on when %s', async (_, change, expected) => {
    await loggedIn();
    change();
    await renewed().toBeGreaterThan(0);
    expect(await status()).toBe(expected);
  });

  it('goes on without the provider while its tokens are good', async () => {
    provider.tokens = { refresh_token: 'first', expires_in: 3600 };
    await serve();
    await comeBack(await begin());
    provider.script = { token: (_, response) => json(response, {}, 500) };
    expect(await status()).toBe(200);
    expect(provider.forms).toHaveLength(1);
  });

  it('ends by logout even when the provider has no page for it', async () => {
    await serve();
    await comeBack(await begin());
    const page = await browser.get(`${shop}/oauth2/logout`);
    expect([page.status, page.body, hasSession()]).toEqual([200, 'Logged out\n', false]);
  });
});

it('a provider that is gone answers 503, and a logout goes on', async () => {
  await serve({ issuer: `http://127.0.0.1:${await refusedPort()}` });
  expect((await browser.get(`${shop}/`)).status).toBe(503);
  expect(reason()).toContain('ECONNREFUSED');
  expect((await browser.get(`${shop}/oauth2/logout`)).status).toBe(200);
});
