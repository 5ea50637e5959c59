import { connectTo } from './client.ts';
import type { Message } from './message.ts';
import type { Peer } from './peer.ts';

export const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** The clients of a test, which are gone when it ends. */
export type Clients = ReturnType<typeof clientsOf>;

/** @param port where they connect to. */
export function clientsOf(port: () => number) {
  const open: Peer[] = [];

  async function connect(): Promise<Peer> {
    const client = await connectTo(port());
    open.push(client);
    return client;
  }

  return {
    open,
    connect,
    /** Sends a request on a connection of its own. */
    async send(request = get): Promise<Peer> {
      const client = await connect();
      client.write(request);
      return client;
    },
    /** Sends a request on a connection of its own and waits for the answer. */
    async ask(request = get): Promise<Message> {
      const client = await connect();
      client.write(request);
      return client.message(request.startsWith('HEAD') ? { noBody: true } : {});
    },
    close() {
      for (const client of open.splice(0)) client.socket.destroy();
    },
  };
}
