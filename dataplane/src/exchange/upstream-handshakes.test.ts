import { createServer, type Server } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Authority,
  createAuthority,
  type IssueOptions,
  type Pair,
} from '../testing/authority.ts';
import { createCertificate } from '../testing/certificate.ts';
import { clientsOf, get } from '../testing/clients.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { forwardRule, type TestSnapshot, type UpstreamFields } from '../testing/snapshot.ts';
import { startTlsBackend, type TlsBackend } from '../testing/tls-backend.ts';

type Tls = NonNullable<UpstreamFields['tls']>;

const day = 86_400_000;
const name = 'a.internal';
const named: IssueOptions = { names: [{ type: 'dns', value: name }] };

let root: Authority;
let other: Authority;
let good: Pair;
let client: Pair;
let stranger: Pair;

let gateway: TestGateway | undefined;
let backend: TlsBackend | undefined;
const clients = clientsOf(() => gateway?.port ?? 0);

beforeAll(async () => {
  root = await createAuthority('CN=root');
  other = await createAuthority('CN=other');
  good = await root.issue(`CN=${name}`, named);
  client = await root.issue('CN=gateway');
  stranger = await other.issue('CN=gateway');
});

beforeEach(() => {
  gateway = undefined;
  backend = undefined;
});

afterEach(async () => {
  clients.close();
  await gateway?.close();
  await backend?.close();
});

function snapshot(port: number, tls: Tls = {}, more: Partial<TestSnapshot> = {}): TestSnapshot {
  const fields = { tls: { serverName: name, authorities: 'ca', ...tls } };
  return {
    rules: [forwardRule('up')],
    upstreams: { up: { endpoints: [{ port }], more: fields } },
    entries: { ca: { 'ca.crt': root.cert } },
    ...more,
  };
}

async function start(pair: Pair, tls: Tls = {}, more: Partial<TestSnapshot> = {}, options = {}) {
  backend = await startTlsBackend({ ...pair, ...options });
  gateway = await startGateway(snapshot(backend.port, tls, more));
  return { backend, gateway };
}

describe('what an endpoint shows', () => {
  const cases: [what: string, status: number, pair: () => Promise<Pair>, tls?: Tls][] = [
    ['a certificate of the authority', 200, async () => good],
    ['one of another authority', 502, () => other.issue(`CN=${name}`, named)],
    [
      'one for another name',
      502,
      () => root.issue('CN=b', { names: [{ type: 'dns', value: 'b' }] }),
    ],
    [
      'one that has expired',
      502,
      () =>
        root.issue('CN=old', {
          ...named,
          notBefore: new Date(Date.now() - 2 * day),
          notAfter: new Date(Date.now() - day),
        }),
    ],
    [
      'one that is not valid yet',
      502,
      () =>
        root.issue('CN=new', {
          ...named,
          notBefore: new Date(Date.now() + day),
          notAfter: new Date(Date.now() + 2 * day),
        }),
    ],
    ['one that signed itself', 502, () => createAuthority(`CN=${name}`, named)],
    ['one nobody but the private authority knows', 502, async () => good, { authorities: '' }],
    ['anything, and the authorities are missing', 502, async () => good, { authorities: 'absent' }],
    ['anything, and the pair is missing', 502, async () => good, { clientCertificate: 'absent' }],
  ];
  it.each(cases)('%s: %i', async (_, status, pair, tls) => {
    const { backend } = await start(await pair(), tls);
    expect(statusOf(await clients.ask())).toBe(status);
    // Whoever is not verified sees nothing of a request.
    expect(backend.requests).toBe(status === 200 ? 1 : 0);
  });

  it('asks for the name by SNI, whatever the Host of the request is', async () => {
    const { backend } = await start(good);
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
  const demanding = () => ({ ca: root.cert, requestCert: true, rejectUnauthorized: true });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is shown when it is asked for, %s',
    async (maxVersion) => {
      await start(
        good,
        { clientCertificate: 'client' },
        { secrets: { client } },
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
      good,
      tls,
      { secrets: { stranger } },
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

  async function listen(onBytes?: string): Promise<number> {
    const held: Server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => onBytes && socket.write(onBytes));
    });
    server = held;
    await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve));
    const address = held.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  it('but speaks without TLS leads to 502', async () => {
    const port = await listen('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    gateway = await startGateway(snapshot(port));
    expect(statusOf(await clients.ask())).toBe(502);
  });

  it('and is silent is given up when the time for connecting is over', async () => {
    const port = await listen();
    const { upstreams, ...rest } = snapshot(port);
    const up = { ...upstreams?.up, endpoints: [{ port }], connectTimeout: 100 };
    gateway = await startGateway({ ...rest, upstreams: { up } });
    expect(statusOf(await clients.ask())).toBe(504);
  });
});

describe('connections', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('are used again, and resumed, %s', async (version) => {
    const { backend } = await start(good, {}, {}, { minVersion: version, maxVersion: version });
    for (let i = 0; i < 3; i++) expect(statusOf(await clients.ask())).toBe(200);
    expect(backend.connections).toBe(1);
    backend.answer = (_, response) => response.writeHead(200, { connection: 'close' }).end('ok');
    for (let i = 0; i < 3; i++) expect(statusOf(await clients.ask())).toBe(200);
    expect(backend.connections).toBe(3);
    expect(backend.resumed).toBe(2);
  });

  it('carry large bodies both ways while readers are slow', async () => {
    const { backend } = await start(good);
    backend.answer = (request, response) => request.pipe(response);
    const size = 8 * 1024 * 1024;
    const body = Buffer.alloc(size, 'x');
    const asker = await clients.connect();
    asker.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    asker.socket.write(body);
    const message = await asker.message();
    expect(message.body.equals(body)).toBe(true);
  });

  it('do not end with a change of the Secret: no request fails', async () => {
    const { backend, gateway } = await start(good);
    // So that there are handshakes all the time.
    backend.answer = (_, response) => response.writeHead(200, { connection: 'close' }).end('ok');
    const next = await createAuthority('CN=root 2');
    const renewed = await next.issue(`CN=${name}`, named);
    let running = true;
    let count = 0;
    const loop = async () => {
      const asker = await clients.connect();
      while (running) {
        asker.write(get);
        expect(statusOf(await asker.message())).toBe(200);
        count++;
      }
    };
    const loops = Promise.all([loop(), loop(), loop()]);
    const enough = async (more: number) => {
      const until = count + more;
      while (count < until) await new Promise((resolve) => setImmediate(resolve));
    };
    for (let turn = 0; turn < 3; turn++) {
      // First both are trusted, then the endpoints change, then the old authority goes.
      for (const ca of [
        `${root.cert}\n${next.cert}`,
        next.cert,
        `${root.cert}\n${next.cert}`,
        root.cert,
      ]) {
        if (ca === next.cert) backend.use(renewed);
        if (ca === root.cert) backend.use(good);
        await enough(20);
        await gateway.use(snapshot(backend.port, {}, { entries: { ca: { 'ca.crt': ca } } }));
        await enough(20);
      }
    }
    running = false;
    await loops;
    expect(backend.connections).toBeGreaterThan(12);
  });

  it('go on when another authority counts, new ones are judged by it', async () => {
    const { backend, gateway } = await start(good);
    expect(statusOf(await clients.ask())).toBe(200);
    await gateway.use(snapshot(backend.port, {}, { entries: { ca: { 'ca.crt': other.cert } } }));
    expect(statusOf(await clients.ask())).toBe(200);
    expect(backend.connections).toBe(1);
    backend.answer = (_, response) => response.writeHead(200, { connection: 'close' }).end('ok');
    expect(statusOf(await clients.ask())).toBe(200);
    // Not even a session of before helps.
    expect(statusOf(await clients.ask())).toBe(502);
    expect(backend.resumed).toBe(0);
  });

  it('go from cleartext to TLS with the setting', async () => {
    const { backend, gateway } = await start(good);
    const plain = { rules: [forwardRule('up')], upstreams: { up: { endpoints: [backend] } } };
    expect(statusOf(await clients.ask())).toBe(200);
    await gateway.use(plain);
    expect(statusOf(await clients.ask())).not.toBe(200);
    await gateway.use(snapshot(backend.port));
    expect(statusOf(await clients.ask())).toBe(200);
  });
});
