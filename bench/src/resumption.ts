import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Notice } from './peer.ts';
import { readServerHello, type ServerHello } from './server-hello.ts';
import type { Stage } from './stage.ts';

const seconds = 1;
const tls13 = 0x0304;
const nearlyAll = 0.95;

/** Lets connections through to a port and collects the ServerHello of each. */
async function listenBetween(
  port: number,
  hellos: ServerHello[],
  fail: (error: unknown) => void,
): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const proxy = connect(port, '127.0.0.1');
    let begun = Buffer.alloc(0);
    const look = (chunk: Buffer) => {
      begun = Buffer.concat([begun, chunk]);
      try {
        const hello = readServerHello(begun);
        if (hello === undefined) return;
        hellos.push(hello);
      } catch (error) {
        fail(error);
      }
      proxy.off('data', look);
    };
    proxy.on('data', look);
    for (const socket of [client, proxy]) {
      sockets.add(socket);
      // The load generator resets what is under way at its end.
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    client.pipe(proxy).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * The share of handshakes that resumed a session, not counting the first of each of the load's connections, which has
 * none to resume. Throws when any was not of TLS 1.3, or when none resumed one.
 */
export function resumedShare(hellos: readonly ServerHello[], connections: number): number {
  const others = hellos.filter(({ version }) => version !== tls13).length;
  if (others > 0) throw new Error(`${others} of ${hellos.length} connections were not of TLS 1.3`);
  const resumed = hellos.filter((hello) => hello.resumed).length;
  if (resumed === 0) throw new Error(`none of ${hellos.length} handshakes resumed a session`);
  return Math.min(1, resumed / Math.max(1, hellos.length - connections));
}

type Proven = Pick<Stage, 'send'> & { scenario: Pick<Stage['scenario'], 'name' | 'load'> };

/**
 * Finds out, by what a proxy says in cleartext, whether the load resumes sessions with it. Throws when it does not at
 * all; a proxy that gives no new ticket with each resumption is told about: clients use one once (RFC 8446 appendix C.4),
 * so it has full handshakes in between, which is more work.
 */
export async function proveResumption(
  port: number,
  name: string,
  { send, scenario }: Proven,
  notice: Notice,
  signal: AbortSignal,
): Promise<void> {
  const hellos: ServerHello[] = [];
  const failures: unknown[] = [];
  await using between = await listenBetween(port, hellos, (error) => failures.push(error));
  await send(between.port, seconds, signal);
  try {
    if (failures.length > 0) throw failures[0];
    const share = resumedShare(hellos, scenario.load.connections);
    if (share < nearlyAll)
      notice(
        `${scenario.name} ${name}: ${Math.round(share * 100)} % of handshakes resume a session`,
      );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot measure "${name}": ${reason}`);
  }
}
