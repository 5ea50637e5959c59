import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority, type Pair } from '../testing/authority.ts';
import { createCertificate } from '../testing/certificate.ts';
import { startGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { early, expired, name, named, type Tls, tlsUpstream } from '../testing/tls-upstream.ts';

const { made, clients, running, snapshot, start } = tlsUpstream();

const failures = (reason: string, count: number) =>
  `gateway_upstream_tls_failures_total{service="up",reason="${reason}"} ${count}`;

describe('what an endpoint shows', () => {
  const cases: [what: string, status: number, pair: () => Promise<Pair>, tls?: Tls][] = [
    ['a certificate of the authority', 200, async () => made.good],
    ['one of another authority', 502, () => made.other.issue(`CN=${name}`, named)],
    [
      'one for another name',
      502,
      () => made.root.issue('CN=b', { names: [{ type: 'dns', value: 'b' }] }),
    ],
    ['one that has expired', 502, () => made.root.issue('CN=old', { ...named, ...expired })],
    ['one that is not valid yet', 502, () => made.root.issue('CN=new', { ...named, ...early })],
    ['one that signed itself', 502, () => createAuthority(`CN=${name}`, named)],
    ['one nobody but the private authority knows', 502, async () => made.good, { authorities: '' }],
    [
      'anything, and the authorities are missing',
      502,
      async () => made.good,
      { authorities: 'absent' },
    ],
    [
      'anything, and the pair is missing',
      502,
      async () => made.good,
      { clientCertificate: 'absent' },
    ],
  ];
  it.each(cases)('%s: %i', async (_, status, pair, tls) => {
    const { backend } = await start(await pair(), tls);
    expect(statusOf(await clients.ask())).toBe(status);
    // Whoever is not verified sees nothing of a request.
    expect(backend.requests).toBe(status === 200 ? 1 : 0);
  });

  it('asks for the name by SNI, whatever the Host of the request is', async () => {
    const { backend } = await start(made.good);
    expect(statusOf(await clients.ask('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n'))).toBe(200);
    expect(backend.names).toEqual([name]);
  });

  it('is a certificate that signed itself and is trusted by itself', async () => {
    const own = createCertificate(name);
    await start(own, {}, { entries: { ca: { 'ca.crt': own.cert } } });
    expect(statusOf(await clients.ask())).toBe(200);
  });
});

describe('a client certificate', () => {
  const demanding = () => ({ ca: made.root.cert, requestCert: true, rejectUnauthorized: true });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is shown when it is asked for, %s',
    async (maxVersion) => {
      await start(
        made.good,
        { clientCertificate: 'client' },
        { secrets: { client: made.client } },
        { ...demanding(), maxVersion },
      );
      expect(statusOf(await clients.ask())).toBe(200);
    },
  );

  const wrong: [what: string, tls: Tls, version: 'TLSv1.2' | 'TLSv1.3'][] = [
    ['none', {}, 'TLSv1.2'],
    ['none', {}, 'TLSv1.3'],
    ['that of a stranger', { clientCertificate: 'stranger' }, 'TLSv1.2'],
    ['that of a stranger', { clientCertificate: 'stranger' }, 'TLSv1.3'],
  ];
  it.each(wrong)('%s leads to 502', async (_, tls, maxVersion) => {
    const { backend } = await start(
      made.good,
      tls,
      { secrets: { stranger: made.stranger } },
      { ...demanding(), maxVersion },
    );
    expect(statusOf(await clients.ask())).toBe(502);
    expect(backend.requests).toBe(0);
  });
});

describe('a server that does not shake hands', () => {
  let server: Server | undefined;

  afterEach(async () => {
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  });

  async function listen(onBytes?: string, onHello?: (socket: Socket) => void): Promise<number> {
    const held: Server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => (onBytes ? socket.write(onBytes) : onHello?.(socket)));
    });
    server = held;
    await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve));
    const address = held.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  it('but speaks without TLS leads to 502', async () => {
    const port = await listen('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const gateway = await startGateway(snapshot(port));
    running.gateway = gateway;
    expect(statusOf(await clients.ask())).toBe(502);
    expect(gateway.metrics()).toContain(failures('not_tls', 1));
  });

  it('but goes away leads to 502', async () => {
    const port = await listen(undefined, (socket) => socket.destroy());
    const gateway = await startGateway(snapshot(port));
    running.gateway = gateway;
    expect(statusOf(await clients.ask())).toBe(502);
    expect(gateway.metrics()).toContain(failures('closed', 1));
  });

  it('and is silent is given up when the time for connecting is over', async () => {
    const port = await listen();
    const { upstreams, ...rest } = snapshot(port);
    const up = { ...upstreams?.up, endpoints: [{ port }], connectTimeout: 500 };
    const gateway = await startGateway({ ...rest, upstreams: { up } });
    running.gateway = gateway;
    expect(statusOf(await clients.ask())).toBe(504);
    await expect.poll(() => gateway.metrics()).toContain(failures('timeout', 1));
  });
});

describe('what operators learn', () => {
  it.each([
    ['authority', async () => made.other.issue(`CN=${name}`, named), {}, {}],
    ['name', async () => made.root.issue('CN=b', { names: [{ type: 'dns', value: 'b' }] }), {}, {}],
    ['expired', async () => made.root.issue(`CN=${name}`, { ...named, ...expired }), {}, {}],
    ['secret', async () => made.good, { authorities: 'absent' }, {}],
    ['version', async () => made.good, { onlyTls13: true }, { maxVersion: 'TLSv1.2' }],
  ] as const)('%s', async (reason, pair, tls, options) => {
    const { gateway } = await start(await pair(), tls, {}, options);
    for (let i = 0; i < 3; i++) expect(statusOf(await clients.ask())).toBe(502);
    expect(gateway.metrics()).toContain(failures(reason, 3));
    // Told once, not for each request.
    expect(gateway.events).toHaveLength(1);
    const [event] = gateway.events;
    expect(event).toMatchObject({ bad: true, text: 'TLS with an endpoint fails' });
    expect(event?.reason).toMatch(new RegExp(`^${reason}: `));
  });

  it('that it works again', async () => {
    const { backend, gateway } = await start(await made.other.issue(`CN=${name}`, named));
    expect(statusOf(await clients.ask())).toBe(502);
    backend.use(made.good);
    expect(statusOf(await clients.ask())).toBe(200);
    await expect.poll(() => gateway.events.map(({ bad }) => bad)).toEqual([true, false]);
  });
});
