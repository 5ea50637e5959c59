import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy on the loopback address whose connections can fall silent: nothing is passed on any more
 * and nothing is closed, as when a network or a peer hangs.
 */
export async function silentProxy(port: number) {
  const sockets = new Set<Socket>();
  let silent = false;
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    if (silent) return;
    const upstream = connect(port, '127.0.0.1');
    sockets.add(upstream);
    socket.pipe(upstream).pipe(socket);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', () => undefined);
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    /** Connections so far. */
    accepted: () => accepted,
    /** Connections that are open fall silent; `later`: those that come, too. */
    hush({ later = false } = {}) {
      silent = later;
      for (const socket of sockets) socket.unpipe().pause();
    },
    speak() {
      silent = false;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
