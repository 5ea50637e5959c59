import type { ConnectionOptions } from 'node:tls';
import type { AuthenticationMethod, MtlsMethod } from '@gatehouse/crds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, type Pair } from '../../../testing/authority.ts';
import { createCertificate } from '../../../testing/certificate.ts';
import { connectSecurely } from '../../../testing/client.ts';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';
import { statusOf, valuesOf } from '../../../testing/message.ts';
import { authPolicy, forwardRule, type TestSnapshot } from '../../../testing/snapshot.ts';

const clientAuth = ['1.3.6.1.5.5.7.3.2'];
const serverAuth = ['1.3.6.1.5.5.7.3.1'];
const day = 86_400_000;

let guarded: GuardedBackend;
let server: Pair;
let root: Authority;
let middle: Authority;
let other: Authority;

beforeAll(async () => {
  guarded = await startGuardedBackend();
  server = createCertificate('a.test', '*.test');
  root = await createAuthority('CN=root');
  middle = await root.subordinate('CN=middle');
  other = await createAuthority('CN=other');
});
afterAll(() => guarded.close());

const mtls = (more: Partial<MtlsMethod> = {}): AuthenticationMethod => ({
  name: 'clients',
  mtls: { caSecretRef: { name: 'ca' }, ...more },
});
const trusting = (...authorities: Authority[]) => ({
  'policy/default/ca/ca.crt': { 'ca.crt': authorities.map(({ cert }) => cert).join('\n') },
});

/** The gateway as `guarded` starts it, by HTTPS. */
function snapshot(more: Partial<TestSnapshot>): TestSnapshot {
  return {
    listeners: [{ certificates: ['server'] }],
    secrets: { server },
    rules: [forwardRule('backend')],
    upstreams: { backend: { endpoints: [{ port: guarded.backend.port }] } },
    ...more,
  };
}
const headers = ['subject', 'fingerprint_sha256', 'serial', 'sans'].map((claim) => {
  return { name: `X-${claim.replace('_', '-')}`, expression: `claims.${claim}` };
});
const serve = (authorities: Authority[] = [root], more: Partial<MtlsMethod> = {}) =>
  guarded.gateway.use(
    snapshot({
      policies: [
        authPolicy({ authentication: [mtls(more)], identity: { defaultHeaders: true, headers } }),
      ],
      entries: trusting(...authorities),
    }),
  );

async function ask(options: ConnectionOptions & { host?: string } = {}) {
  const { host = 'a.test', ...tls } = options;
  const before = guarded.backend.requests.length;
  const client = await connectSecurely(guarded.gateway.port, {
    servername: 'a.test',
    ...tls,
    host: '127.0.0.1',
  });
  client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const message = await client.message();
  client.end();
  const fields = guarded.backend.requests[before]?.fields;
  return {
    status: statusOf(message),
    body: message.body.toString(),
    id: fields && valuesOf(fields, 'x-user-id')[0],
    sent: (name: string) => (fields ? valuesOf(fields, name) : undefined),
  };
}
const reason = () => guarded.gateway.denials.at(-1)?.reason;

describe('a client certificate', () => {
  it.each<[string, Parameters<Authority['issue']>[1], string]>([
    [
      'URI',
      {
        names: [
          { type: 'dns', value: 'Client.test' },
          { type: 'url', value: 'spiffe://a.test/client' },
        ],
      },
      'spiffe://a.test/client',
    ],
    [
      'DNS name',
      {
        names: [
          { type: 'email', value: 'a@b.c' },
          { type: 'dns', value: 'Client.test' },
        ],
      },
      'client.test',
    ],
    [
      'e-mail address',
      {
        names: [
          { type: 'ip', value: '1.2.3.4' },
          { type: 'email', value: 'a@b.c' },
        ],
      },
      'a@b.c',
    ],
    ['CN', { names: [{ type: 'ip', value: '1.2.3.4' }] }, 'client'],
    ['CN, without other names', {}, 'client'],
  ])('tells who the client is by its %s', async (_, options, id) => {
    await serve();
    const pair = await root.issue('CN=client, O=Test', { purposes: clientAuth, ...options });
    expect(await ask(pair)).toMatchObject({ status: 200, id });
  });

  it('gives claims', async () => {
    await serve();
    const names = [
      { type: 'url', value: 'spiffe://a.test/client' } as const,
      { type: 'dns', value: 'client.test' } as const,
    ];
    const { sent } = await ask(await root.issue('CN=client, O=Test', { names }));
    expect(sent('x-subject')?.[0]).toMatch(/CN=client/);
    expect(sent('x-sans')).toEqual(['spiffe://a.test/client,client.test']);
    expect(sent('x-fingerprint-sha256')?.[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(sent('x-serial')?.[0]).toMatch(/^[0-9A-F]+$/);
  });

  it('counts with others in between, when the client sends them along', async () => {
    await serve();
    const pair = await middle.issue('CN=client', { purposes: clientAuth });
    const chain = { ...pair, cert: `${pair.cert}\n${middle.cert}` };
    expect(await ask(chain)).toMatchObject({ status: 200, id: 'client' });
    expect(await ask(pair)).toMatchObject({ status: 401 });
    await serve([middle]);
    expect(await ask(pair)).toMatchObject({ status: 401 });
    expect(reason()).toMatch(/does not hold|no authority/);
  });

  it('counts with its key alone', async () => {
    await serve();
    const [pair, thief] = [await root.issue('CN=client'), await root.issue('CN=thief')];
    await expect(ask({ cert: pair.cert, key: thief.key })).rejects.toThrow();
  });

  it.each<[string, () => Promise<Pair>, RegExp]>([
    ['of another authority', () => other.issue('CN=client'), /no authority of the policy/],
    [
      'of another authority of the same name',
      async () => (await createAuthority('CN=root')).issue('CN=client'),
      /no authority of the policy/,
    ],
    [
      'that it signed itself',
      async () => createAuthority('CN=client'),
      /no authority of the policy/,
    ],
    [
      'that has expired',
      () =>
        root.issue('CN=client', {
          notBefore: new Date(Date.now() - 2 * day),
          notAfter: new Date(Date.now() - day),
        }),
      /has expired/,
    ],
    [
      'that is not valid yet',
      () =>
        root.issue('CN=client', {
          notBefore: new Date(Date.now() + day),
          notAfter: new Date(Date.now() + 2 * day),
        }),
      /not valid yet/,
    ],
    ['for servers', () => root.issue('CN=client', { purposes: serverAuth }), /not for clients/],
    [
      'from a client that is no authority',
      async () => {
        const leaf = await root.issue('CN=leaf');
        const forged = await (await createAuthority('CN=leaf')).issue('CN=admin');
        return { ...forged, cert: `${forged.cert}\n${leaf.cert}` };
      },
      /no authority of the policy/,
    ],
    [
      'behind an authority that has expired',
      async () => {
        const old = await root.subordinate('CN=old', {
          notBefore: new Date(Date.now() - 2 * day),
          notAfter: new Date(Date.now() - day),
        });
        const pair = await old.issue('CN=client');
        return { ...pair, cert: `${pair.cert}\n${old.cert}` };
      },
      /has expired/,
    ],
  ])('%s gets 401', async (_, issue, why) => {
    await serve();
    expect(await ask(await issue())).toMatchObject({
      status: 401,
      body: '{"error":"Invalid token"}',
    });
    expect(reason()).toMatch(why);
  });

  it('that is missing gets 401, by HTTPS and by HTTP', async () => {
    await serve();
    const expected = [401, '{"error":"Missing authentication token"}'];
    const { status, body } = await ask();
    expect([status, body]).toEqual(expected);
    await guarded.guard([mtls()], { entries: trusting(root) });
    const plain = await guarded.ask();
    expect([plain.status, plain.body]).toEqual(expected);
  });

  it.each<[string, string[], number]>([
    ['one of the names', ['x.test', 'CLIENT.test'], 200],
    ['a URI', ['spiffe://a.test/client'], 200],
    ['a URI in other letters', ['spiffe://a.test/Client'], 401],
    ['another name', ['x.test'], 401],
    ['a part of a name', ['test'], 401],
    ['its CN', ['client'], 401],
    ['an address', ['1.2.3.4'], 401],
  ])('must carry %s', async (_, subjectAltNames, status) => {
    await serve([root], { subjectAltNames });
    const pair = await root.issue('CN=client', {
      names: [
        { type: 'dns', value: 'client.test' },
        { type: 'url', value: 'spiffe://a.test/client' },
        { type: 'ip', value: '1.2.3.4' },
      ],
    });
    expect((await ask(pair)).status).toBe(status);
  });

  it('cannot pretend to have another name by what it writes into one', async () => {
    await serve([root], { subjectAltNames: ['admin.test'] });
    const pair = await root.issue('CN=client', {
      names: [{ type: 'url', value: 'http://a/, DNS:admin.test' }],
    });
    expect((await ask(pair)).status).toBe(401);
  });

  it('that is good may stand before other methods', async () => {
    await guarded.gateway.use(
      snapshot({
        policies: [authPolicy({ authentication: [mtls(), { name: 'all', anonymous: {} }] })],
        entries: trusting(root),
      }),
    );
    expect((await ask(await root.issue('CN=client'))).id).toBe('client');
    expect(await ask()).toMatchObject({ status: 200, id: undefined });
    expect((await ask(await other.issue('CN=client'))).status).toBe(401);
  });
});

describe('the handshake', () => {
  /** Whether the server asks for a certificate: a client that is not asked sends none. */
  async function askedFor(servername: string): Promise<boolean> {
    const pair = await root.issue('CN=client');
    const { body } = await ask({ ...pair, servername, host: 'closed.test' });
    return body !== '{"error":"Missing authentication token"}';
  }

  const listeners = (...names: string[]) =>
    names.map((name) => ({
      name: `default/test/${name}`,
      hostname: `${name}.test`,
      certificates: ['server'],
    }));
  const two = (scope: string) =>
    snapshot({
      listeners: listeners('open', 'closed'),
      policies: [authPolicy({ authentication: [mtls()] }, { scope })],
      entries: trusting(root),
    });

  it('asks for certificates where a policy needs them, and nowhere else on the port', async () => {
    await guarded.gateway.use(two('default/test/closed'));
    expect(await askedFor('closed.test')).toBe(true);
    expect(await askedFor('open.test')).toBe(false);
  });

  it('asks where only a rule of a Route needs them', async () => {
    await guarded.gateway.use(two('default/test/closed/default/test/all'));
    expect(await askedFor('closed.test')).toBe(true);
    expect(await askedFor('open.test')).toBe(false);
  });

  it('asks clients that tell no name by the first listener', async () => {
    await serve();
    const pair = await root.issue('CN=client');
    expect(await ask({ ...pair, servername: '' })).toMatchObject({ status: 200, id: 'client' });
  });

  it('does not ask any more once no policy needs it', async () => {
    await serve();
    const pair = await root.issue('CN=client');
    expect((await ask(pair)).id).toBe('client');
    await guarded.gateway.use(snapshot({}));
    const client = await connectSecurely(guarded.gateway.port, { ...pair, servername: 'a.test' });
    expect(client.peerName).toBe('a.test');
    client.end();
    await serve();
    expect((await ask(pair)).id).toBe('client');
  });

  it('keeps the authorities of policies apart', async () => {
    const method = (name: string, secret: string) => ({
      name,
      mtls: { caSecretRef: { name: secret } },
    });
    const policy = (path: string, secret: string) =>
      authPolicy(
        { authentication: [method(secret, secret)] },
        { scope: `default/test/0/default/test/${path}` },
      );
    await guarded.gateway.use(
      snapshot({
        rules: [
          forwardRule('backend', { name: 'all' }),
          forwardRule('backend', { name: 'a', prefix: '/a' }),
          forwardRule('backend', { name: 'b', prefix: '/b' }),
        ],
        policies: [policy('a', 'one'), policy('b', 'two')],
        entries: {
          'policy/default/one/ca.crt': { 'ca.crt': root.cert },
          'policy/default/two/ca.crt': { 'ca.crt': other.cert },
        },
      }),
    );
    const seen = [];
    for (const pair of [await root.issue('CN=client'), await other.issue('CN=client')]) {
      const client = await connectSecurely(guarded.gateway.port, { ...pair, servername: 'a.test' });
      for (const path of ['/a', '/b', '/c']) {
        client.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
        seen.push(statusOf(await client.message()));
      }
      client.end();
    }
    expect(seen).toEqual([200, 401, 200, 401, 200, 200]);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is gone through anew where certificates count, so that none is lost or mixed up: %s',
    async (maxVersion) => {
      await serve();
      const pair = await middle.issue('CN=client');
      const chain = { ...pair, cert: `${pair.cert}\n${middle.cert}`, maxVersion };
      let session: Buffer | undefined;
      for (let i = 0; i < 3; i++) {
        const client = await connectSecurely(guarded.gateway.port, {
          ...chain,
          servername: 'a.test',
          ...(session ? { session } : {}),
        });
        client.socket.on('session', (next: Buffer) => {
          session = next;
        });
        client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
        expect(statusOf(await client.message())).toBe(200);
        client.end();
        await client.close();
      }
      // Another client with the session of the first is itself.
      const thief = await connectSecurely(guarded.gateway.port, {
        servername: 'a.test',
        maxVersion,
        ...(session ? { session } : {}),
      });
      thief.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      expect(statusOf(await thief.message())).toBe(401);
      thief.end();
    },
  );
});

it.each<[string, Record<string, string>]>([
  ['no certificate', { 'ca.crt': 'hello' }],
  [
    'a damaged certificate',
    { 'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
  ],
])('a policy whose authorities are %s is refused', async (_, entry) => {
  const served = guarded.gateway.use(
    snapshot({
      policies: [authPolicy({ authentication: [mtls()] })],
      entries: { 'policy/default/ca/ca.crt': entry },
    }),
  );
  await expect(served).rejects.toThrow(/mtls.caSecretRef/);
});
