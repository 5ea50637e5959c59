import type { OidcMethod } from '@gatehouse/crds';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';
import { valuesOf } from '../../../testing/message.ts';
import { patient } from '../../../testing/peer.ts';
import { type Browser, openBrowser } from '../oidc/testing/browser.ts';
import { client, type RealProvider, startRealProvider } from '../oidc/testing/real-provider.ts';

const shop = 'http://shop.test';
const secret = 'cookie secret: 32 bytes at least!';

let guarded: GuardedBackend;
let replica: GuardedBackend;
let provider: RealProvider;
/** Its access tokens end so soon that they are renewed after a second. */
let shortLived: RealProvider;
let browser: Browser;

vi.hoisted(() => {
  // The provider has much to say about being tested.
  for (const level of ['info', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation(() => undefined);
  }
});

beforeAll(async () => {
  guarded = await startGuardedBackend();
  replica = await startGuardedBackend();
  provider = await startRealProvider([`${shop}/oauth2/callback`, `${shop}/in`], 3600);
  shortLived = await startRealProvider([`${shop}/oauth2/callback`], 31);
});
beforeEach(() => {
  provider.user = 'alice';
  browser = openBrowser({ 'shop.test': guarded.gateway.port });
});
afterAll(async () => {
  await Promise.all([guarded.close(), replica.close()]);
  await provider.close();
  await shortLived.close();
});

const entries = {
  'policy/default/client/clientSecret': { clientSecret: `${client.secret}\n` },
  'policy/default/cookies/cookieSecret': { cookieSecret: secret },
};
const oidc = (more: Partial<OidcMethod> = {}): OidcMethod => ({
  issuer: provider.issuer,
  clientId: client.id,
  clientSecretRef: { name: 'client' },
  cookieSecretRef: { name: 'cookies' },
  scopes: ['profile'],
  ...more,
});
const serve = (more: Partial<OidcMethod> = {}) =>
  guarded.guard([{ name: 'login', oidc: oidc(more) }], { entries });
const reason = () => guarded.gateway.denials.at(-1)?.reason;
const lastRequest = () => guarded.backend.requests.at(-1)!;

describe('a browser', () => {
  it('logs in, and comes back to where it was', async () => {
    await serve();
    const page = await browser.follow(`${shop}/a/b?c=d&e=%20f`);
    expect([page.status, page.url.href]).toEqual([200, `${shop}/a/b?c=d&e=%20f`]);
    const { fields, startLine } = lastRequest();
    expect(startLine).toBe('GET /a/b?c=d&e=%20f HTTP/1.1');
    expect(valuesOf(fields, 'x-user-id')).toEqual(['alice']);
    expect(valuesOf(fields, 'x-user-role')).toEqual(['editor']);
    expect((await browser.get(`${shop}/again`)).status).toBe(200);
    expect([...browser.cookies('shop.test').keys()]).toEqual([
      'gatehouse-session',
      'gatehouse-session.1',
      'gatehouse-session.2',
    ]);
  });

  it('sends its cookies to the gateway, which keeps its own from the upstream', async () => {
    await serve();
    await browser.follow(`${shop}/`);
    browser.cookies('shop.test').set('mine', '1');
    await browser.get(`${shop}/`);
    expect(valuesOf(lastRequest().fields, 'cookie')).toEqual(['mine=1']);
    browser.cookies('shop.test').delete('mine');
    await browser.get(`${shop}/`);
    expect(valuesOf(lastRequest().fields, 'cookie')).toEqual([]);
    expect(lastRequest().raw).not.toContain('gatehouse-session');
  });

  it('is sent to the provider with PKCE, state and nonce, none of them twice the same', async () => {
    await serve();
    const seen = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const { status, headers } = await browser.get(`${shop}/`);
      expect([status, headers['cache-control']]).toEqual([302, 'no-store']);
      const { origin, pathname, searchParams } = new URL(headers.location!);
      expect(origin + pathname).toBe(`${provider.issuer}/auth`);
      expect(Object.fromEntries(searchParams)).toMatchObject({
        response_type: 'code',
        client_id: client.id,
        redirect_uri: `${shop}/oauth2/callback`,
        scope: 'openid profile',
        code_challenge_method: 'S256',
      });
      for (const name of ['state', 'nonce', 'code_challenge']) seen.add(searchParams.get(name)!);
      const [cookie = ''] = headers['set-cookie'] ?? [];
      expect(cookie).toMatch(
        /^gatehouse-session-login-[\w-]{8}=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/,
      );
      expect(cookie).not.toContain(searchParams.get('state')!);
    }
    expect(seen.size).toBe(6);
  });

  it('has Secure cookies of its very host where TLS ends before the gateway', async () => {
    const [policy] = [{ name: 'login', oidc: oidc() }];
    await guarded.guard([policy], { entries, listeners: [{ trustedHops: 1 }] });
    const { headers } = await browser.get(`${shop}/`, {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'Public.test:8443',
    });
    expect(headers['set-cookie']?.[0]).toMatch(
      /^__Host-gatehouse-session-login-.*; Secure; Max-Age=600$/,
    );
    expect(new URL(headers.location!).searchParams.get('redirect_uri')).toBe(
      'https://public.test:8443/oauth2/callback',
    );
  });

  it('may be in the midst of several logins', async () => {
    await serve({ redirectPath: '/in' });
    const first = await browser.get(`${shop}/first`);
    const second = await browser.get(`${shop}/second`);
    const pages = [
      await browser.follow(second.headers.location!),
      await browser.follow(first.headers.location!),
    ];
    expect(pages.map(({ url }) => url.pathname)).toEqual(['/second', '/first']);
    for (let i = 0; i < 20; i++) await openLogin();
    const logins = [...browser.cookies('shop.test').keys()].filter((name) =>
      name.includes('login'),
    );
    expect(logins.length).toBeLessThanOrEqual(5);
  });

  async function openLogin() {
    const jar = browser.cookies('shop.test');
    for (const name of jar.keys()) if (!name.includes('-login-')) jar.delete(name);
    await browser.get(`${shop}/`);
  }

  it('may finish at another replica what it began at one', async () => {
    await serve();
    await replica.guard([{ name: 'login', oidc: oidc() }], { entries });
    const begun = await browser.get(`${shop}/page`);
    const elsewhere = openBrowser({ 'shop.test': replica.gateway.port });
    for (const [name, value] of browser.cookies('shop.test')) {
      elsewhere.cookies('shop.test').set(name, value);
    }
    const page = await elsewhere.follow(begun.headers.location!);
    expect([page.status, page.url.pathname]).toEqual([200, '/page']);
    for (const [name, value] of elsewhere.cookies('shop.test')) {
      browser.cookies('shop.test').set(name, value);
    }
    expect((await browser.get(`${shop}/page`)).status).toBe(200);
  });

  it('whose user refuses is told so, and no more', async () => {
    provider.user = '';
    await serve();
    const page = await browser.follow(`${shop}/`);
    expect([page.status, page.body]).toEqual([403, '{"error":"Login failed"}']);
    expect(reason()).toBe('the issuer says access_denied');
    expect(browser.cookies('shop.test').size).toBe(0);
  });

  it('that goes back to the address of a login that is over goes on', async () => {
    await serve();
    const begun = await browser.get(`${shop}/`);
    const asked = await browser.get(begun.headers.location!);
    const callback = await browser.get(new URL(asked.headers.location!, provider.issuer).href);
    const back = await browser.get(new URL(callback.headers.location!, provider.issuer).href);
    expect((await browser.get(back.headers.location!)).status).toBe(302);
    const again = await browser.get(back.headers.location!);
    expect([again.status, again.headers.location]).toEqual([302, '/']);
  });
});

describe('a request without a session', () => {
  it.each<[string, Record<string, string>, string, number]>([
    ['of a person', { 'sec-fetch-mode': 'navigate' }, 'GET', 302],
    ['of a person who looks at the head', {}, 'HEAD', 302],
    ['of a script', { 'sec-fetch-mode': 'cors' }, 'GET', 401],
    ['of an old script', { 'x-requested-with': 'XMLHttpRequest' }, 'GET', 401],
    ['of a program', { accept: 'application/json' }, 'GET', 401],
    ['ahead of time', { 'sec-purpose': 'prefetch', 'sec-fetch-mode': 'navigate' }, 'GET', 401],
    ['of a form', {}, 'POST', 401],
  ])('%s', async (_, headers, method, status) => {
    await serve();
    const page = await browser.get(`${shop}/`, headers, method);
    expect(page.status).toBe(status);
    if (status === 401) expect(page.body).toBe('{"error":"Missing authentication token"}');
    expect(browser.cookies('shop.test').size).toBe(status === 302 ? 1 : 0);
  });

  it('is never redirected where that is not wished', async () => {
    await serve({ redirectToLogin: false });
    expect((await browser.get(`${shop}/`)).status).toBe(401);
  });

  it('may bring another credential first', async () => {
    const basic = { secretRef: { name: 'users' } };
    await guarded.guard(
      [
        { name: 'people', basic },
        { name: 'login', oidc: oidc() },
      ],
      {
        entries: {
          ...entries,
          'policy/default/users/auth': { auth: 'a:{SHA}hvfkN/qlp/zhXR3cuerq6jd2Z7g=' },
        },
      },
    );
    const good = await browser.get(`${shop}/`, { authorization: `Basic ${btoa('a:a')}` });
    expect(good.status).toBe(200);
    expect((await browser.get(`${shop}/`)).status).toBe(302);
  });

  it.each([
    ['//evil.test/', '/evil.test/'],
    ['///evil.test/%2e%2e', '/'],
    ['/a?next=//evil.test', '/a?next=//evil.test'],
    ['/a?b=\x01', undefined],
    ['/%5Cevil.test', undefined],
    ['/\\evil.test', undefined],
  ])('never leads elsewhere: %s', async (target, expected) => {
    await serve();
    const { status, values } = await guarded.ask('Accept: text/html\r\n', target);
    if (expected === undefined) return expect(status).toBe(400);
    expect(values('location')[0]).toMatch(new RegExp(`^${provider.issuer}/auth\\?`));
    const { url } = await browser.follow(shop + target);
    expect(url.href).toBe(shop + expected);
  });
});

describe('a session', () => {
  const sessionOf = () => new Map(browser.cookies('shop.test'));

  it('that was changed does not count', async () => {
    await serve();
    await browser.follow(`${shop}/`);
    const jar = browser.cookies('shop.test');
    for (const [name, value] of sessionOf()) {
      const middle = Math.floor(value.length / 2);
      const flipped = value[middle] === 'A' ? 'B' : 'A';
      jar.set(name, value.slice(0, middle) + flipped + value.slice(middle + 1));
      const page = await browser.get(`${shop}/`, { accept: 'application/json' });
      expect([page.status, page.body]).toEqual([401, '{"error":"Invalid token"}']);
      jar.set(name, value);
    }
    expect((await browser.get(`${shop}/`, { accept: 'application/json' })).status).toBe(200);
    const [second] = [...sessionOf().keys()].slice(1);
    jar.delete(second!);
    expect((await browser.get(`${shop}/`, { accept: 'application/json' })).status).toBe(401);
  });

  it('of another policy, client or secret does not count', async () => {
    await serve();
    await browser.follow(`${shop}/`);
    const status = async () => (await browser.get(`${shop}/`, { accept: 'text/plain' })).status;
    expect(await status()).toBe(200);
    await serve({ clientId: 'another' });
    expect(await status()).toBe(401);
    await guarded.guard([{ name: 'login', oidc: oidc() }], {
      entries: {
        ...entries,
        'policy/default/cookies/cookieSecret': { cookieSecret: `${secret}2` },
      },
    });
    expect(await status()).toBe(401);
  });

  it('is no login, and a login is no session', async () => {
    await serve();
    await browser.get(`${shop}/`);
    const [[name, value] = ['', '']] = browser.cookies('shop.test');
    browser.cookies('shop.test').set('gatehouse-session', `1.${value}`);
    expect(name).toContain('-login-');
    expect((await browser.get(`${shop}/`, { accept: 'text/plain' })).status).toBe(401);
  });

  it('ends in time', async () => {
    await serve({ sessionLifetime: '2s' });
    expect((await browser.follow(`${shop}/`)).status).toBe(200);
    await expect
      .poll(async () => (await browser.get(`${shop}/`, { accept: 'text/plain' })).status, patient)
      .toBe(401);
    expect(reason()).toBe('the session is over, or not ours');
  });

  it('ends by logout, here and at the provider', async () => {
    await serve();
    await browser.follow(`${shop}/`);
    const page = await browser.get(`${shop}/oauth2/logout`);
    const url = new URL(page.headers.location!);
    expect([page.status, url.origin + url.pathname]).toEqual([
      302,
      `${provider.issuer}/session/end`,
    ]);
    expect(url.searchParams.get('client_id')).toBe(client.id);
    expect(url.searchParams.get('id_token_hint')?.split('.')).toHaveLength(3);
    expect((await browser.get(url.href)).status).toBe(200);
    expect(browser.cookies('shop.test').size).toBe(0);
    const again = await browser.get(`${shop}/oauth2/logout`);
    expect([again.status, again.body]).toEqual([200, 'Logged out\n']);
  });

  it('is renewed once for requests that come together, and goes on', async () => {
    await serve({ issuer: shortLived.issuer });
    await browser.follow(`${shop}/`);
    const before = sessionOf();
    await expect
      .poll(async () => {
        await browser.get(`${shop}/`);
        return (
          browser.cookies('shop.test').get('gatehouse-session') !== before.get('gatehouse-session')
        );
      }, patient)
      .toBe(true);
    const tokenRequests = shortLived.asked['/token'];
    expect(tokenRequests).toBe(2);
    // The same page, with the cookies of before, as a browser with open requests would.
    const old = openBrowser({ 'shop.test': guarded.gateway.port });
    for (const [name, value] of before) old.cookies('shop.test').set(name, value);
    const pages = await Promise.all(Array.from({ length: 5 }, () => old.get(`${shop}/`)));
    expect(pages.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(shortLived.asked['/token']).toBe(tokenRequests);
    expect(valuesOf(lastRequest().fields, 'x-user-id')).toEqual(['alice']);
  });
});

const client1 = 'policy/default/client/clientSecret';
const cookies1 = 'policy/default/cookies/cookieSecret';

it.each<[string, Record<string, Record<string, string>>, RegExp]>([
  ['a missing secret for cookies', { [client1]: entries[client1] }, /oidc.cookieSecretRef/],
  [
    'a short secret for cookies',
    { ...entries, [cookies1]: { cookieSecret: 'x'.repeat(31) } },
    /oidc.cookieSecretRef.*32 bytes/,
  ],
  ['a missing client secret', { [cookies1]: entries[cookies1] }, /oidc.clientSecretRef/],
])('a policy with %s is refused', async (_, given, why) => {
  const served = guarded.guard([{ name: 'login', oidc: oidc() }], { entries: given });
  await expect(served).rejects.toThrow(why);
});
