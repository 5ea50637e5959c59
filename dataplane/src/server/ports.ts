import { createServer, type Server, type Socket } from 'node:net';
import type { Limits } from '../http1/limits.ts';
import { listenerFor } from '../link/listeners.ts';
import type { LinkedPort, Runtime } from '../link/runtime.ts';
import type { TimerWheel } from '../state/timer-wheel.ts';
import { createYoungGarbage } from '../state/young-garbage.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { DownstreamConnection } from './connection.ts';
import { Greeting } from './greeting.ts';
import { DownstreamSession } from './http2/session.ts';
import type { PortContext } from './port-context.ts';
import { createHandshakes } from './tls/handshakes.ts';
import type { TicketSeeds } from './tls/ticket-keys.ts';

export type PortsOptions = {
  host: string;
  limits: Limits;
  wheel: TimerWheel;
  recorder: Recorder;
  /** Of the keys of TLS session tickets. */
  seeds: TicketSeeds;
};

/** The listening sockets of a thread. All threads, and all data planes of a host, share the ports. */
export type Ports = {
  /**
   * Opens the ports that the runtime needs and that are not open yet. Connections wait unanswered
   * until `use`. @returns the ports that cannot be opened, with the reason.
   */
  open(runtime: Runtime): Promise<{ port: number; reason: string }[]>;
  /** Serves by this runtime from now on; ports that it does not name are closed. */
  use(runtime: Runtime): void;
  /** Closes the ports that only a discarded runtime needed. */
  discard(): void;
  /** Still takes connections, but each response says that its connection closes. */
  leave(): void;
  /** Stops listening and closes connections after their response; resolves when all are gone. */
  drain(timeout: number): Promise<void>;
};

/** A client's connection, of whatever version of HTTP, or in the midst of its handshake. */
type Connection = {
  /** Closes it once nothing is under way; at once when nothing is now. */
  drain(): void;
  destroy(): void;
};

type OpenPort = {
  server: Server;
  context: PortContext;
  connections: Set<Connection>;
  serve(socket: Socket): void;
  /** Accepted before the first runtime that names the port is in force. */
  waiting: Socket[] | undefined;
  secure: boolean;
};

export function createPorts(options: PortsOptions): Ports {
  const open = new Map<number, OpenPort>();
  /** Those of a runtime that is not in force yet. */
  const opening = new Map<number, OpenPort>();
  let current: ReadonlyMap<number, LinkedPort> = new Map();
  const handshakes = createHandshakes({ ...options, timeout: options.limits.headTimeout });
  const bodyRead = createYoungGarbage();
  let drained: (() => void) | undefined;
  let leaving = false;

  function connectionCount(): number {
    let count = 0;
    for (const { connections } of open.values()) count += connections.size;
    return count;
  }

  function createPort(port: number, secure: boolean): OpenPort {
    const connections = new Set<Connection>();
    const context: PortContext = {
      port,
      scheme: secure ? 'https' : 'http',
      limits: options.limits,
      wheel: options.wheel,
      recorder: options.recorder,
      linked: () => current.get(port),
      listenerOf: (host) => {
        const linked = current.get(port);
        return linked && listenerFor(linked, host);
      },
      bodyRead,
      leaving,
      draining: false,
    };
    const forget = (connection: Connection) => {
      connections.delete(connection);
      if (context.draining && connectionCount() === 0) drained?.();
    };
    const serveHttp2 = (socket: Socket) => {
      connections.add(new DownstreamSession(socket, context, forget));
    };
    const serveHttp1 = (socket: Socket) => {
      const connection = new DownstreamConnection(socket, context, forget);
      connections.add(connection);
      return connection;
    };
    const serveClear = (socket: Socket) => {
      const greeting = new Greeting(socket, context, (ended, version) => {
        const { bytes, since } = ended;
        if (version === 'HTTP/1.1') serveHttp1(socket).begin(bytes, since);
        else if (version) {
          socket.pause();
          socket.unshift(bytes);
          serveHttp2(socket);
        }
        forget(ended);
      });
      connections.add(greeting);
    };
    const serveSecured = (socket: Socket) => {
      const handshake = handshakes.begin(socket, context.linked, (ended, secured) => {
        // RFC 9113 section 3.3: over TLS ALPN decides.
        if (secured?.alpnProtocol === 'h2') serveHttp2(secured);
        else if (secured) serveHttp1(secured);
        forget(ended);
      });
      connections.add(handshake);
    };
    const serve = secure ? serveSecured : serveClear;
    const accept = (socket: Socket) => {
      if (connectionCount() >= options.limits.connections) socket.destroy();
      // A reset before anybody listens would be an exception.
      else if (entry.waiting) entry.waiting.push(socket.on('error', ignoreError));
      else serve(socket);
    };
    const server = createServer({ noDelay: true }, accept);
    const entry: OpenPort = { server, context, connections, serve, waiting: [], secure };
    return entry;
  }

  function closePort(entry: OpenPort) {
    entry.context.leaving = true;
    entry.context.draining = true;
    entry.server.close();
    for (const socket of entry.waiting ?? []) socket.destroy();
    for (const connection of entry.connections) connection.drain();
  }

  return {
    async open(runtime) {
      const problems: { port: number; reason: string }[] = [];
      for (const { port, secure } of runtime.ports.values()) {
        // One that changes its protocol is opened beside the old one, which may stay after all.
        if ((opening.get(port) ?? open.get(port))?.secure === secure) continue;
        const created = createPort(port, secure);
        const reason = await listen(created.server, port, options.host);
        if (reason === undefined) opening.set(port, created);
        else problems.push({ port, reason });
      }
      return problems;
    },

    use(runtime) {
      current = runtime.ports;
      for (const [port, entry] of [...open]) {
        if (current.has(port) && !opening.has(port)) continue;
        closePort(entry);
        open.delete(port);
      }
      for (const [port, entry] of opening) open.set(port, entry);
      opening.clear();
      for (const entry of open.values()) {
        const waiting = entry.waiting ?? [];
        entry.waiting = undefined;
        for (const socket of waiting) if (!socket.destroyed) entry.serve(socket);
      }
    },

    discard() {
      for (const entry of opening.values()) closePort(entry);
      opening.clear();
    },

    leave() {
      leaving = true;
      for (const { context } of open.values()) context.leaving = true;
    },

    async drain(timeout) {
      const all = [...open];
      const done = new Promise<void>((resolve) => {
        drained = resolve;
      });
      for (const [, entry] of all) {
        entry.context.leaving = true;
        entry.context.draining = true;
        entry.server.close();
        for (const connection of entry.connections) connection.drain();
      }
      if (connectionCount() > 0) {
        const limit = setTimeout(() => drained?.(), timeout);
        await done;
        clearTimeout(limit);
      }
      for (const [, entry] of all) for (const connection of entry.connections) connection.destroy();
    },
  };
}

/** Listens with SO_REUSEPORT. Returns the reason when the port cannot be opened. */
function listen(server: Server, port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      resolve(`Cannot listen on ${host}:${port}: ${reason}`);
    });
    server.listen({ port, host, reusePort: true, backlog: 1024 }, () => {
      server.removeAllListeners('error');
      server.on('error', ignoreError);
      resolve(undefined);
    });
  });
}

function ignoreError() {
  // Accepting failed (descriptors ran out, say): the listening socket itself stays usable. Or a
  // connection was reset: it closes.
}
