import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { readServerHello, type ServerHello } from './server-hello.ts';
import type { Stage } from './stage.ts';

const seconds = 1;
const tls13 = 0x0304;

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

/** What is wrong with the handshakes of a load that resumes sessions, each connection after its first. */
export function findResumptionFault(
  hellos: readonly ServerHello[],
  connections: number,
): string | undefined {
  const others = hellos.filter(({ version }) => version !== tls13).length;
  if (others > 0) return `${others} of ${hellos.length} connections were not of TLS 1.3`;
  const full = hellos.filter(({ resumed }) => !resumed).length;
  // Each of the load's connections has no session before its first handshake.
  if (full > connections || hellos.length < 2 * connections)
    return `of ${hellos.length} handshakes ${full} resumed no session`;
  return undefined;
}

/** Shows, by what the proxy says in cleartext, that the load resumes sessions with it. Throws when it does not. */
export async function proveResumption(
  port: number,
  name: string,
  { send, scenario }: Stage,
  signal: AbortSignal,
): Promise<void> {
  const hellos: ServerHello[] = [];
  const failures: unknown[] = [];
  await using between = await listenBetween(port, hellos, (error) => failures.push(error));
  await send(between.port, seconds, signal);
  const [failure] = failures;
  const fault =
    failure === undefined
      ? findResumptionFault(hellos, scenario.load.connections)
      : String(failure instanceof Error ? failure.message : failure);
  if (fault !== undefined) throw new Error(`Cannot measure "${name}": ${fault}`);
}
