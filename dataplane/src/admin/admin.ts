import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ResourceSet } from '@gatehouse/snapshot';
import type { BreakerView } from '../upstreams/oversight/breaker-view.ts';
import type { EndpointView } from '../upstreams/oversight/endpoint-view.ts';
import { configView, endpointsView, servicesView } from './snapshot-view.ts';

/** What the admin port shows and does. */
export type AdminSource = {
  config(): ResourceSet;
  endpoints(): ResourceSet;
  /** True once a complete snapshot is linked and while the data plane takes new connections. */
  ready(): boolean;
  metrics(): string;
  breakers(): BreakerView[];
  /** What is known of an endpoint ("<address> <port>") of an upstream, when somebody finds out. */
  endpointState(upstream: string, id: string): EndpointView | undefined;
  /** Closes the breakers of a service; false when it has none. */
  resetBreaker(service: string): boolean;
  /** Asks the controller for everything again; rejects with the reason. */
  reload(): Promise<void>;
};

type Answer = { status: number; body: unknown; type?: string };

/** The admin listener. It is for operators: bind it to loopback or keep the network out. */
export async function startAdmin(
  source: AdminSource,
  address: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(source, request).then(
      (result) => write(response, result),
      (error: unknown) => write(response, { status: 500, body: { error: String(error) } }),
    );
  });
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(source: AdminSource, request: IncomingMessage): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://admin');
  const known = await route(source, `${request.method} ${pathname}`);
  if (known) return known;
  const other = request.method === 'GET' ? 'POST' : 'GET';
  const misses =
    paths.has(`${other} ${pathname}`) || named.some((path) => path.test(`${other} ${pathname}`));
  return misses
    ? { status: 405, body: { error: 'Method not allowed' } }
    : { status: 404, body: { error: 'Not found' } };
}

const paths = new Set([
  'GET /health',
  'GET /ready',
  'GET /config',
  'POST /config/reload',
  'GET /services',
  'GET /circuit-breakers',
  'GET /metrics',
]);

const resetCall = /^POST \/circuit-breakers\/(.+)\/reset$/;
const endpointsCall = /^GET \/services\/(.+)\/endpoints$/;
const named = [resetCall, endpointsCall];

async function route(source: AdminSource, call: string): Promise<Answer | undefined> {
  switch (call) {
    case 'GET /health':
      return { status: 200, body: { status: 'ok' } };
    case 'GET /ready':
      return source.ready()
        ? { status: 200, body: { status: 'ready' } }
        : { status: 503, body: { status: 'not ready', reason: 'no complete snapshot is linked' } };
    case 'GET /config':
      return { status: 200, body: configView(source.config(), source.endpoints()) };
    case 'POST /config/reload':
      return reload(source);
    case 'GET /services':
      return { status: 200, body: { services: servicesView(source.config(), source.endpoints()) } };
    case 'GET /circuit-breakers':
      return { status: 200, body: { circuitBreakers: source.breakers() } };
    case 'GET /metrics':
      return {
        status: 200,
        body: source.metrics(),
        type: 'text/plain; version=0.0.4; charset=utf-8',
      };
  }
  const broken = resetCall.exec(call)?.[1];
  if (broken !== undefined) return resetBreaker(source, decoded(broken));
  const name = endpointsCall.exec(call)?.[1];
  if (name === undefined) return undefined;
  const view = endpointsView(decoded(name), source);
  return view
    ? { status: 200, body: view }
    : { status: 404, body: { error: `Unknown service "${decoded(name)}"` } };
}

function resetBreaker(source: AdminSource, service: string): Answer {
  if (!source.resetBreaker(service)) {
    return { status: 404, body: { error: `Service "${service}" has no circuit breaker` } };
  }
  const reset = ({ service: label, resource }: BreakerView) =>
    label === service || resource === service;
  return { status: 200, body: { circuitBreakers: source.breakers().filter(reset) } };
}

async function reload(source: AdminSource): Promise<Answer> {
  try {
    await source.reload();
    return {
      status: 200,
      body: { version: configView(source.config(), source.endpoints()).version },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 503, body: { error: `Cannot reload the config: ${reason}` } };
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function write(response: ServerResponse, { status, body, type }: Answer) {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body, null, 2)}\n`;
  response.writeHead(status, { 'content-type': type ?? 'application/json' });
  response.end(text);
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new Error(`Cannot listen on ${host}:${port} for the admin port: ${reason}`));
    });
    server.listen(port, host, resolve);
  });
}
