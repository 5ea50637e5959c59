import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

/**
 * Answers with the request as it arrived, and counts: `GET /_requests` tells how many came. Failures can
 * be tried: the header x-echo-status sets the status, x-echo-fail names the instance that answers 500,
 * x-echo-delay is waited for in milliseconds, and `GET /_fails/NAME` (not counted) is 503 of that instance
 * and 200 of the others. What comes through a WebSocket is sent back.
 */
export function createEcho(instance: string): Server {
  let requests = 0;
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer(async (request, response) => {
    const { method, url = '', headers } = request;
    const own = url.startsWith('/_');
    if (!own) requests++;
    const body =
      url === '/_requests'
        ? { instance, requests }
        : { instance, method, path: url, headers, body: await text(request) };
    await setTimeout(Math.min(Number(headers['x-echo-delay'] ?? 0) || 0, 5000));
    response.writeHead(statusOf(instance, url, headers), {
      'content-type': 'application/json',
      'x-served-by': instance,
      server: 'echo/1.0',
    });
    response.end(`${JSON.stringify(body)}\n`);
  });
  server.on('upgrade', (request, socket, head) => {
    requests++;
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('message', (data, binary) => opened.send(data, { binary }));
    });
  });
  return server;
}

function statusOf(instance: string, url: string, headers: IncomingHttpHeaders): number {
  if (url === `/_fails/${instance}`) return 503;
  if (headers['x-echo-fail'] === instance) return 500;
  const asked = Number(headers['x-echo-status']);
  return asked >= 200 && asked <= 599 ? asked : 200;
}

/** Three of them by the ports that the YAML files of the examples name. */
export function echoBackends(): Map<number, { name: string; server: Server }> {
  return new Map(
    [4011, 4012, 4013].map((port, index) => {
      const name = `echo-${index + 1}`;
      return [port, { name, server: createEcho(name) }];
    }),
  );
}
