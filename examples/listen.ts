import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Servers by the port that they are meant for. */
export type Backends = ReadonlyMap<number, { name: string; server: Server }>;

export type Listening = {
  /** The port that each server got, by the port that it was meant for. */
  ports: Map<number, number>;
  close(): Promise<void>;
};

/**
 * Opens every backend on loopback.
 * @param free true: on free ports instead of those that they are meant for.
 * @throws Error with the name of the backend and what to do.
 */
export async function listenAll(backends: Backends, free: boolean): Promise<Listening> {
  const ports = new Map<number, number>();
  const open: Server[] = [];
  const close = async () => {
    await Promise.all(open.map(closed));
  };
  for (const [port, { name, server }] of backends) {
    try {
      ports.set(port, await listen(server, free ? 0 : port));
      open.push(server);
    } catch (error) {
      await close();
      throw new Error(`Cannot listen on 127.0.0.1:${port} for "${name}": ${reasonOf(error)}`);
    }
  }
  return { ports, close };
}

/** Runs the backends as a program of their own. */
export async function serveUntilInterrupted(backends: Backends): Promise<void> {
  try {
    const { close } = await listenAll(backends, false);
    for (const [port, { name }] of backends) {
      process.stdout.write(`${name} listens on http://127.0.0.1:${port}\n`);
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE'
    ? 'the port is in use. Stop its owner, or run "make demo", which takes free ports'
    : message;
}
