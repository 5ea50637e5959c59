import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Reply = { status?: number; body: unknown } | { text: string };
/** Answers by method and path, e.g. "GET /ready". */
export type AdminRoutes = Record<string, () => Reply | Promise<Reply>>;

export type AdminServer = { port: number; close(): Promise<void> };

/**
 * Serves the admin port: JSON, or plain text for metrics. Loopback unless told otherwise.
 * @throws when the port cannot be listened on.
 */
export async function serveAdmin(
  { host, port, log }: { host: string; port: number; log(error: unknown): void },
  routes: AdminRoutes,
): Promise<AdminServer> {
  const server = createServer((request, response) => {
    answer(request, response, routes).catch((error) => {
      log(error);
      send(response, 500, { error: 'internal error' });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, routes: AdminRoutes) {
  const path = (request.url ?? '/').split('?', 1)[0];
  const { method } = request;
  const route = routes[`${method === 'HEAD' ? 'GET' : method} ${path}`];
  if (route === undefined) {
    const allow = Object.keys(routes).filter((name) => name.endsWith(` ${path}`));
    if (allow.length === 0) return send(response, 404, { error: `Nothing at ${path}` });
    response.setHeader('allow', allow.map((name) => name.split(' ', 1)[0]).join(', '));
    return send(response, 405, { error: `${method} is not allowed at ${path}` });
  }
  const reply = await route();
  if ('text' in reply) {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(reply.text);
    return;
  }
  send(response, reply.status ?? 200, reply.body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body, null, 2)}\n`;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}
