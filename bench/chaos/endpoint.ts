import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type Mode, slowness } from './troubles.ts';

const answer = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const well = answer('200 OK', '{"ok":true}');
const error = answer('500 Internal Server Error', '{"ok":false}');
const garbage = '\x00\x01\x02 this is no answer \r\n\r\n\xff\xfe';
/** Milliseconds that an endpoint is gone when it is restarted. */
const restartTime = 500;

/** A backend on loopback that can be put into any trouble. */
export type Endpoint = { port: number; be(mode: Mode): Promise<void> };

export async function startEndpoint(): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  let mode: Mode = 'well';
  let server: Server | undefined = await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  async function listen(on: number): Promise<Server> {
    const opened = createServer({ noDelay: true }, take);
    opened.listen(on, '127.0.0.1', 1024);
    await once(opened, 'listening');
    return opened;
  }

  function take(socket: Socket) {
    sockets.add(socket);
    socket.setEncoding('latin1');
    let read = '';
    socket.on('data', (text: string) => {
      read += text;
      // Requests have no body.
      for (let end = read.indexOf('\r\n\r\n'); end >= 0; end = read.indexOf('\r\n\r\n')) {
        read = read.slice(end + 4);
        reply(socket);
      }
    });
    // 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  }

  function reply(socket: Socket) {
    switch (mode) {
      case 'well':
        return void socket.write(well);
      case 'error':
        return void socket.write(error);
      case 'garbage':
        return void socket.write(garbage, 'latin1');
      case 'reset':
        return void socket.resetAndDestroy();
      case 'slow':
        return void setTimeout(() => socket.writable && socket.write(well), slowness).unref();
      default:
      // Hung, or about to be gone.
    }
  }

  /** As a process that is killed: nobody listens, connections are gone. */
  async function vanish() {
    const gone = server;
    server = undefined;
    for (const socket of sockets) socket.destroy();
    if (gone) await new Promise((resolve) => gone.close(resolve));
  }

  return {
    port,
    async be(next) {
      mode = next;
      if (next === 'killed') await vanish();
      if (next === 'restarted') {
        await vanish();
        await new Promise((resolve) => setTimeout(resolve, restartTime));
        mode = 'well';
      }
      if (next === 'well' || next === 'restarted') server ??= await listen(port);
      // What hung gets no answer any more: like a process that was started anew.
      if (next === 'well') for (const socket of sockets) socket.destroy();
    },
  };
}
