import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StartSource } from '../source.ts';

/** The port that the YAML file names: that of a Consul agent. */
export const consulPort = 8500;

/** Stands in for a Consul agent: /v1/health/service/echo, with answers that never change. */
export const startSource: StartSource = async (ports) => {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://consul');
    // A question for changes: there are none.
    if (searchParams.has('index')) return;
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-consul-index', '1');
    const tags = searchParams.getAll('tag');
    const found = pathname === '/v1/health/service/echo' ? instances : [];
    response.end(
      JSON.stringify(
        found
          .filter((one) => tags.every((tag) => one.tags.includes(tag)))
          .map(({ id, port, weight, tags }) => ({
            Node: { Node: 'local', Address: '127.0.0.1', Meta: { zone: 'a' } },
            Service: {
              ID: id,
              Address: '',
              Port: ports.get(port) ?? port,
              Tags: tags,
              Weights: { Passing: weight, Warning: 1 },
            },
          })),
      ),
    );
  });
  server.listen(ports.get(consulPort) ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ports: new Map([[consulPort, (server.address() as AddressInfo).port]]),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const instances = [
  { id: 'echo-1', port: 4011, weight: 3, tags: ['v1'] },
  { id: 'echo-2', port: 4012, weight: 1, tags: ['v1', 'v2'] },
];
