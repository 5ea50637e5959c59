import { createServer as createHttp } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCertificates } from '../../push/certificate.ts';
import { ApiFault } from './api-fault.ts';
import { type ApiServer, apiServerOf } from './api-server.ts';
import { silentProxy } from './testing/silent-proxy.ts';

const { ca, certificate, key } = await createCertificates(['127.0.0.1']);
const pulse = { interval: 20, timeout: 60, connect: 200 };
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

type Request = Pick<Http2ServerRequest, 'method' | 'url' | 'headers' | 'on' | 'httpVersion'>;
type Response = Pick<Http2ServerResponse, 'writeHead' | 'write' | 'end' | 'socket' | 'on'> & {
  stream?: Http2ServerResponse['stream'];
};

/** What the server does with the next requests. */
let serve: (request: Request, response: Response) => void;
let versions: string[];
const json = (response: Response, body: unknown, status = 200, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};

function take(request: Request, response: Response): void {
  versions.push(request.httpVersion);
  serve(request, response);
}
const tls = { cert: certificate, key };
const listener = take as never;
const protocols: Record<string, { scheme: string; create(): ReturnType<typeof createHttp> }> = {
  'HTTP/1.1': { scheme: 'http', create: () => createHttp(listener) },
  'HTTP/1.1 and TLS': { scheme: 'https', create: () => createHttps(tls, listener) as never },
  'HTTP/2': {
    scheme: 'https',
    create: () => createSecureServer({ ...tls, allowHTTP1: true }, listener) as never,
  },
};

describe.each(Object.entries(protocols))('over %s', (name, { scheme, create }) => {
  let api: ApiServer;
  let proxy: Awaited<ReturnType<typeof silentProxy>>;

  beforeEach(async () => {
    versions = [];
    serve = (_, response) => json(response, { items: [] });
    const server = create();
    const sockets = new Set<{ destroy(): void }>();
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({
      async close() {
        const closed = new Promise((resolve) => server.close(resolve));
        for (const socket of sockets) socket.destroy();
        await closed;
      },
    });
    proxy = await silentProxy((server.address() as AddressInfo).port);
    opened.push(proxy);
    const config = new KubeConfig();
    const url = `${scheme}://127.0.0.1:${proxy.port}/base/`;
    config.loadFromClusterAndUser(
      {
        name: 'c',
        server: url,
        caData: Buffer.from(ca).toString('base64'),
        skipTLSVerify: scheme === 'http',
      },
      { name: 'u', token: 'the-token' },
    );
    api = apiServerOf(config, pulse);
    opened.push(api);
  });

  /** Follows lines; resolves with the fault that ends them. */
  async function follow(lines: unknown[] = [], signal?: AbortSignal): Promise<unknown> {
    try {
      const options = { path: '/watch', silence: 10_000, ...(signal && { signal }) };
      for await (const batch of api.lines(options)) lines.push(...batch);
    } catch (error) {
      return error;
    }
    return 'the end';
  }
  const watching = (response: Response) => {
    response.writeHead(200, {});
    response.write('{"n":1}\n');
  };

  test('speaks what it should', async () => {
    await api.request({ path: '/api' });
    expect(versions).toEqual([name === 'HTTP/2' ? '2.0' : '1.1']);
  });

  test('sends method, path, query, credentials and body, and reads the answer', async () => {
    const seen: unknown[] = [];
    serve = (request, response) => {
      const { method, url, headers } = request;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { authorization, accept, 'content-type': type } = headers;
        seen.push({ method, url, authorization, accept, type, body });
        json(response, { n: seen.length });
      });
    };
    const query = { limit: 5, fieldSelector: 'metadata.name=ä', none: undefined };
    expect(await api.request({ path: '/api/v1/secrets', query })).toEqual({ n: 1 });
    const contentType = 'application/merge-patch+json';
    const patch = { method: 'PATCH', path: '/x', body: { ü: 1 }, contentType } as const;
    expect(await api.request(patch)).toEqual({ n: 2 });
    const common = { authorization: 'Bearer the-token', accept: 'application/json' };
    const url = '/base/api/v1/secrets?limit=5&fieldSelector=metadata.name%3D%C3%A4';
    expect(seen).toEqual([
      { method: 'GET', url, ...common, type: undefined, body: '' },
      { method: 'PATCH', url: '/base/x', ...common, type: contentType, body: '{"ü":1}' },
    ]);
  });

  test.each([
    [429, { kind: 'Status', message: 'slow down' }, { 'retry-after': '3' }, 'slow down', 3000],
    [404, { kind: 'Status', message: 'gone' }, {}, 'gone', undefined],
    [503, 'no JSON', {}, 'the API server answers 503', undefined],
  ])('tells what %d says', async (status, body, headers, message, retryAfter) => {
    serve = (_, response) => json(response, body, status, headers);
    const fault = await api.request({ path: '/' }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ApiFault);
    expect(fault).toMatchObject({ status, message, retryAfter });
    expect(await follow()).toMatchObject({ status, message });
  });

  test('does many things at a time', async () => {
    const waiting: Response[] = [];
    serve = (_, response) => {
      waiting.push(response);
      if (waiting.length === 200) for (const one of waiting) json(one, {});
    };
    await Promise.all(Array.from({ length: 200 }, () => api.request({ path: '/' })));
    if (name === 'HTTP/2') expect(proxy.accepted()).toBeLessThan(5);
  });

  test('reads lines as they come, until they end', async () => {
    const lines: unknown[] = [];
    let response: Response | undefined;
    serve = ({ url }, given) => {
      if (!url?.includes('watch')) return json(given, {});
      response = given;
      watching(given);
    };
    const end = follow(lines);
    await vi.waitFor(() => expect(lines).toEqual([{ n: 1 }]));
    response?.write('{"n":2}\n{"n"');
    await vi.waitFor(() => expect(lines).toEqual([{ n: 1 }, { n: 2 }]));
    response?.end(':3}\n');
    expect(await end).toBe('the end');
    expect(lines).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('stops when it is told to', async () => {
    serve = (_, response) => watching(response);
    const stopped = new AbortController();
    const lines: unknown[] = [];
    const end = follow(lines, stopped.signal);
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    stopped.abort();
    expect(await end).toBeInstanceOf(ApiFault);
  });

  test('gives up on an answer that takes too long, and goes on', async () => {
    serve = () => undefined;
    const answer = api.request({ path: '/', timeout: 50 });
    await expect(answer).rejects.toThrow('no answer within 50 ms');
    serve = (_, response) => json(response, {});
    expect(await api.request({ path: '/' })).toEqual({});
  });

  test.each([
    ['before', () => undefined],
    ['after', watching],
  ])('notices a connection that is cut %s the head of the answer', async (_, begin) => {
    serve = (_request, response) => {
      begin(response);
      const { socket } = response.stream?.session ?? response;
      setImmediate(() => socket?.destroy());
    };
    expect(await follow()).toBeInstanceOf(ApiFault);
    serve = (_request, response) => json(response, {});
    expect(await api.request({ path: '/' })).toEqual({});
  });

  test('notices within its pulse that a connection has fallen silent, and makes another', async () => {
    serve = ({ url }, response) =>
      url?.includes('watch') ? watching(response) : json(response, {});
    const lines: unknown[] = [];
    const ends = [follow(lines), follow(lines)];
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    const begin = performance.now();
    proxy.hush();
    for (const end of ends) {
      expect(await end).toMatchObject({ message: 'the API server does not answer', status: 0 });
    }
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(await api.request({ path: '/' })).toEqual({});
  });

  test('does not wait for connections that cannot be made', async () => {
    await api.request({ path: '/' });
    proxy.hush({ later: true });
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(api.request({ path: '/', timeout: 200 })).rejects.toThrow(ApiFault);
    }
    proxy.speak();
    const answer = () => api.request({ path: '/', timeout: 500 });
    await vi.waitFor(async () => expect(await answer()).toEqual({ items: [] }), 5000);
  });

  test('does not take a server for dead that only has nothing to say', async () => {
    serve = ({ url }, response) =>
      url?.includes('watch') ? watching(response) : json(response, {}, 404);
    const lines: unknown[] = [];
    let over = false;
    const end = follow(lines).finally(() => {
      over = true;
    });
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    // Several pulses of real time: that nothing happens cannot be waited for otherwise.
    await new Promise((resolve) => setTimeout(resolve, 10 * pulse.interval + 2 * pulse.timeout));
    expect(over).toBe(false);
    api.close();
    expect(await end).toBeInstanceOf(ApiFault);
  });
});
