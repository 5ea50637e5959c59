import { type Server, ServerCredentials } from '@grpc/grpc-js';
import type { StartSource } from '../source.ts';
import { createGreeter } from './greeter.ts';

/** The ports that the YAML file names. */
export const greeterPorts = [4031, 4032] as const;

/** Two servers of gRPC. */
export const startSource: StartSource = async (ports) => {
  const servers: Server[] = [];
  const found = new Map<number, number>();
  for (const [index, wanted] of greeterPorts.entries()) {
    const server = createGreeter(`greeter-${index + 1}`);
    servers.push(server);
    found.set(wanted, await listen(server, ports.get(wanted) ?? 0));
  }
  return {
    ports: found,
    async close() {
      for (const server of servers) server.forceShutdown();
    },
  };
};

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
}
