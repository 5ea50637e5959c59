import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConsulSource } from '../../compile/discovery-source.ts';
import { createCertificates } from '../../push/certificate.ts';
import { createRecorder } from '../discovery/testing/recorder.ts';
import { type ConsulTiming, watchConsul } from './index.ts';

/** What no agent does when it is asked to: servers of a few lines do it. */

const timing: ConsulTiming = {
  refresh: 30_000,
  gap: 1,
  poll: 5,
  patience: 5000,
  retry: { first: 1, most: 8 },
};

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

type Asked = { index: string | null; wait: string | null; passing: boolean; token: unknown };
type Answering = (asked: Asked, response: ServerResponse, request: IncomingMessage) => void;

async function serve(answer: Answering, tls?: object, host = '127.0.0.1') {
  const asked: Asked[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const { searchParams } = new URL(request.url ?? '', 'http://consul');
    const one = {
      index: searchParams.get('index'),
      wait: searchParams.get('wait'),
      passing: searchParams.has('passing'),
      token: request.headers['x-consul-token'],
    };
    asked.push(one);
    answer(one, response, request);
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.listen(0, host);
  await once(server, 'listening');
  opened.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  const { port } = server.address() as AddressInfo;
  const named = host.includes(':') ? `[${host}]` : host;
  return { asked, address: new URL(`${tls === undefined ? 'http' : 'https'}://${named}:${port}`) };
}

function follow(
  address: URL,
  { times = timing, token, ca, ...fields }: Partial<ConsulSource> & Extra = {},
) {
  const recorder = createRecorder();
  const source: ConsulSource = {
    kind: 'consul',
    address,
    service: 'users',
    datacenter: undefined,
    tags: [],
    zoneMeta: 'zone',
    tokenRef: token === undefined ? undefined : { name: 'consul' },
    caRef: undefined,
    serverName: undefined,
    ...fields,
  };
  opened.push(watchConsul(source, { token, ca }, recorder.sink, times));
  return recorder;
}
type Extra = { times?: ConsulTiming; token?: string; ca?: string };

const instance = (Port: number, fields: object = {}) => ({
  Node: { Node: 'n1', Address: '10.0.0.1' },
  Service: { ID: `users-${Port}`, Address: '', Port, ...fields },
});

function send(response: ServerResponse, index: number | undefined, ...ports: number[]) {
  response.setHeader('content-type', 'application/json');
  if (index !== undefined) response.setHeader('x-consul-index', index);
  response.end(JSON.stringify(ports.map((port) => instance(port))));
}

describe('the index of Consul', () => {
  it('begins anew when it goes backwards', async () => {
    const { asked, address } = await serve(({ index }, response) => {
      if (index === null) send(response, asked.length === 1 ? 100 : 7, asked.length);
      else if (index === '100') send(response, 5, 99);
      else if (index === '7') response.socket?.once('close', () => response.end());
    });
    const recorder = follow(address);
    await recorder.list(1);
    await recorder.list(99);
    await recorder.list(3);
    await expect
      .poll(() => asked.map(({ index }) => index), { timeout: 10_000 })
      .toEqual([null, '100', null, '7']);
  });

  it.each([0, undefined])('that is %s is not waited for', async (index) => {
    const { asked, address } = await serve((_, response) => send(response, index, asked.length));
    const recorder = follow(address);
    for (let port = 1; port <= 3; port++) await recorder.list(port);
    expect(new Set(asked.map((one) => one.index))).toEqual(new Set([null]));
  });

  it('that a proxy ignores is not asked for in a tight loop', async () => {
    const { asked, address } = await serve((_, response) => send(response, 7, 1));
    const poll = 100;
    const recorder = follow(address, { times: { ...timing, poll } });
    const began = performance.now();
    for (let i = 0; i < 4; i++) await recorder.list(1);
    // The first two come at once: nothing is known of the server then.
    expect(performance.now() - began).toBeGreaterThan(2 * poll - 10);
    expect(asked.map(({ index }) => index).slice(0, 3)).toEqual([null, '7', '7']);
  });

  it('is left out now and then, so that what no event told is found', async () => {
    const { asked, address } = await serve(({ index, wait }, response) => {
      if (index === null) return send(response, 7, asked.length);
      setTimeout(() => send(response, 7, 1), Number.parseInt(wait ?? '', 10));
    });
    const recorder = follow(address, { times: { ...timing, refresh: 200 } });
    await recorder.list(1);
    const began = performance.now();
    await recorder.list(asked.length + 2);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(asked.map(({ index }) => index).slice(0, 3)).toEqual([null, '7', null]);
    expect(Number.parseInt(asked[1]?.wait ?? '', 10)).toBeLessThanOrEqual(200);
  });
});

describe('an answer', () => {
  it.each<[string, Answering, string]>([
    [
      'that is no JSON',
      (_, response) => response.setHeader('content-type', 'application/json').end('[{"Node":'),
      'address: Consul at "ADDRESS" does not answer as Consul does: correct the address',
    ],
    [
      'of another server',
      (_, response) => response.setHeader('content-type', 'text/html').end('<html>'),
      'address: Consul at "ADDRESS" does not answer as Consul does: correct the address',
    ],
    [
      'of other things than instances',
      (_, response) => response.setHeader('content-type', 'application/json').end('[null]'),
      'address: Consul at "ADDRESS" does not answer as Consul does: correct the address',
    ],
    [
      'that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('[', () => response.destroy());
      },
      'address: Consul at "ADDRESS" closed the connection in the middle of an answer',
    ],
    ['that never comes', () => undefined, 'address: Consul at "ADDRESS" does not answer in time'],
    [
      'without a leader',
      (_, response) => response.writeHead(500).end('rpc error: No cluster leader'),
      'address: Consul at "ADDRESS" has no leader',
    ],
    [
      'for too many connections',
      (_, response) => response.writeHead(429).end(),
      'address: Consul at "ADDRESS" takes no more connections of this client: raise its limits.http_max_conns_per_client',
    ],
    [
      'that says nothing but its status',
      (_, response) => response.writeHead(502).end(),
      'address: Consul at "ADDRESS" answers with status 502',
    ],
    [
      'of a server that knows no such path',
      (_, response) => response.writeHead(404).end('hidden'),
      'address: Consul at "ADDRESS" answers with status 404 to the question for service "users": correct the address',
    ],
    [
      'that quotes the token',
      ({ token }, response) => response.writeHead(403).end(`Permission denied for ${token}`),
      'tokenSecretRef: Consul at "ADDRESS" hides instances from the token: give it "read" for service "users" and for its nodes',
    ],
    [
      'whose instances all weigh nothing',
      (_, response) => {
        const Weights = { Passing: 0, Warning: 0 };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify([instance(1, { Weights }), instance(2, { Weights })]));
      },
      'service: instances are left out that have the weight 0: give one of them another (Weights.Passing) ("users-1 on n1", "users-2 on n1")',
    ],
    [
      'whose only port is 0',
      (_, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify([instance(0)]));
      },
      'service: instances are left out that have no port from 1 to 65535: register them with theirs ("users-0 on n1")',
    ],
  ])('%s is told and leads to another attempt', async (_, wrong, expected) => {
    let sound = false;
    const { asked, address } = await serve((one, response, request) => {
      if (sound) send(response, undefined, 4001);
      else wrong(one, response, request);
    });
    const recorder = follow(address, { times: { ...timing, patience: 100 }, token: 'hidden' });
    const { failed } = await recorder.fault();
    expect(failed).toEqual([
      `spec.endpoints.consul.${expected.replace('ADDRESS', address.origin)}`,
    ]);
    expect(asked[0]?.token).toBe('hidden');
    sound = true;
    await recorder.list(4001);
  });

  it('of more than 64 MiB is not read to its end', async () => {
    const piece = Buffer.alloc(1024 * 1024, ' ');
    const { address } = await serve((_, response) => {
      const more = () => void response.write(piece, (error) => error || more());
      more();
    });
    const { failed } = await follow(address).fault();
    expect(failed[0]).toContain('closed the connection in the middle of an answer');
  });

  it('comes from an IPv6 address, too', async () => {
    const { address } = await serve(
      (_, response) => send(response, undefined, 1),
      undefined,
      '::1',
    );
    await follow(address).list(1);
  });

  it('by TLS is believed when the certificate is', async () => {
    const { ca, certificate, key } = await createCertificates(['127.0.0.1', 'server.dc1.consul']);
    const { address } = await serve((_, response) => send(response, undefined, 1), {
      cert: certificate,
      key,
    });
    await follow(address, { ca }).list(1);
    await follow(address, { ca, serverName: 'server.dc1.consul' }).list(1);
    const faultOf = async (fields: Parameters<typeof follow>[1]) =>
      (await follow(address, fields).fault()).failed.join();
    const tls = `spec.endpoints.consul.tls: Consul at "${address.origin}" has a certificate that is`;
    expect(await faultOf({})).toBe(`${tls} not trusted: name its authority in tls.caSecretRef`);
    expect(await faultOf({ ca, serverName: 'other.consul' })).toBe(
      `${tls} not for "other.consul": give one of its names as tls.serverName`,
    );
  });

  it('in the clear, where TLS was meant, is told', async () => {
    const { address } = await serve((_, response) => send(response, undefined, 1));
    const secure = new URL(address.href.replace('http:', 'https:'));
    expect((await follow(secure).fault()).failed.join()).toBe(
      `spec.endpoints.consul.address: Consul at "${secure.origin}" does not speak TLS: name the port of its HTTPS, or begin the address with http://`,
    );
  });
});
