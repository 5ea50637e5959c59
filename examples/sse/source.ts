import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StartSource } from '../source.ts';

/** The port that the YAML file names. */
export const ticksPort = 4041;

/** Milliseconds between two events. */
const pause = 200;

/**
 * `GET /ticks`: an event every now and then, without end; from behind `last-event-id` where it is given.
 * `GET /listeners`: how many listen.
 */
export const startSource: StartSource = async (ports) => {
  let listeners = 0;
  const server = createServer((request, response) => {
    if (request.url !== '/ticks') {
      response.setHeader('content-type', 'application/json');
      return response.end(JSON.stringify({ listeners }));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    let id = Number(request.headers['last-event-id'] ?? 0);
    const tick = () => response.write(`id: ${++id}\ndata: {"tick": ${id}}\n\n`);
    tick();
    listeners++;
    const timer = setInterval(tick, pause);
    response.on('close', () => {
      listeners--;
      clearInterval(timer);
    });
  });
  server.listen(ports.get(ticksPort) ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ports: new Map([[ticksPort, (server.address() as AddressInfo).port]]),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
