import { connect, type Socket } from 'node:net';
import { type Response, responseOf } from './response.ts';

export type Outcome =
  | { response: Response }
  /** What went wrong, and with which request of the connection, counted from 1. */
  | { reason: string; use: number };

export type Connection = {
  /** Sends a request; `done` is called exactly once. Not before the last one is done. */
  send(request: string, done: (outcome: Outcome) => void): void;
  /** False once it is closed, or must not be used again. */
  usable(): boolean;
  close(): void;
};

/** A TCP connection that is opened at once and carries one request after the other. */
export function openConnection(host: string, port: number, timeout: number): Connection {
  const socket: Socket = connect({ host, port, noDelay: true });
  let open = true;
  let use = 0;
  let received = '';
  let waiting: ((outcome: Outcome) => void) | undefined;

  function finish(outcome: Outcome): void {
    const done = waiting;
    waiting = undefined;
    received = '';
    socket.setTimeout(0);
    done?.(outcome);
  }
  function fail(reason: string): void {
    open = false;
    socket.destroy();
    finish({ reason, use });
  }

  // One character a byte, so that lengths are those of the wire.
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    try {
      if (waiting === undefined) throw new Error('bytes that nobody asked for');
      const response = responseOf(received);
      if (response === undefined) return;
      if (!response.keepAlive) {
        open = false;
        socket.end();
      }
      finish({ response });
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  socket.on('end', () =>
    fail(received === '' ? 'closed without an answer' : 'closed in an answer'),
  );
  socket.on('close', () => fail('closed'));
  socket.on('timeout', () => fail(`no answer in ${timeout} ms`));

  return {
    send(request, done) {
      use += 1;
      waiting = done;
      socket.setTimeout(timeout);
      socket.write(request, 'latin1');
    },
    usable: () => open,
    close: () => socket.destroy(),
  };
}
