import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';

/**
 * Answers with the request as it arrived, and counts: `GET /_requests` tells how many came. The header
 * x-echo-status sets the status, so that failures can be tried.
 */
export function createEcho(instance: string): Server {
  let requests = 0;
  return createServer(async (request, response) => {
    const { method, url, headers } = request;
    const counting = url === '/_requests';
    if (!counting) requests++;
    const body = counting
      ? { instance, requests }
      : { instance, method, path: url, headers, body: await text(request) };
    const asked = Number(headers['x-echo-status']);
    response.writeHead(asked >= 200 && asked <= 599 ? asked : 200, {
      'content-type': 'application/json',
      'x-served-by': instance,
      server: 'echo/1.0',
    });
    response.end(`${JSON.stringify(body)}\n`);
  });
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
