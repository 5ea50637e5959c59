import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';

/** Answers with the request as it arrived, and counts: `GET /_requests` tells how many came. */
export function createEcho(instance: string): Server {
  let requests = 0;
  return createServer(async (request, response) => {
    const { method, url, headers } = request;
    const counting = url === '/_requests';
    if (!counting) requests++;
    const body = counting
      ? { instance, requests }
      : { instance, method, path: url, headers, body: await text(request) };
    response.writeHead(200, {
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
