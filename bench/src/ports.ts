import { once } from 'node:events';
import { createServer } from 'node:net';

/** Finds free TCP ports on the loopback address, all different, by binding port 0. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(async (server) => {
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const address = server.address();
        if (address === null || typeof address === 'string')
          throw new Error('Cannot find a free port: no address');
        return address.port;
      }),
    );
  } finally {
    for (const server of servers) server.close();
  }
}
