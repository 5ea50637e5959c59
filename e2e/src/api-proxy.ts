import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Authority } from '../cluster/certificates.ts';

/** What happens to a request instead of an answer. */
export type Fault = { status: number; retryAfter?: number };

/** Stands before an API server and spoils what passes; HTTP/1.1. */
export interface ApiProxy {
  url: string;
  /** Decides about each request; undefined lets it pass. */
  fault: (method: string, url: URL) => Fault | undefined;
  /** "METHOD path?query STATUS" of all that was asked. */
  seen: string[];
  /** Cuts every connection, and with them every watch. */
  cut(): void;
  close(): Promise<void>;
}

/** Passes everything on as an administrator. */
export async function startApiProxy(server: string, authority: Authority): Promise<ApiProxy> {
  const admin = await authority.issue({ commonName: 'admin', organization: 'system:masters' });
  const own = await authority.issue({ commonName: 'proxy', hosts: ['127.0.0.1'] });
  const agent = new Agent({
    keepAlive: true,
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
  });
  const sockets = new Set<Socket>();
  const proxy = createServer({ cert: own.certificate, key: own.key }, pass);
  proxy.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = '', headers } = incoming;
    const url = new URL(incoming.url ?? '/', server);
    const tell = (status: number) => self.seen.push(`${method} ${incoming.url} ${status}`);
    const fault = self.fault(method, url);
    if (fault !== undefined) {
      const { status, retryAfter } = fault;
      tell(status);
      incoming.resume();
      outgoing.setHeader('content-type', 'application/json');
      if (retryAfter !== undefined) outgoing.setHeader('retry-after', retryAfter);
      outgoing.statusCode = status;
      const message = `the proxy answers ${status}`;
      outgoing.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: status, message }));
      return;
    }
    const { authorization: _, host: __, ...kept } = headers;
    const upstream = request(url, { method, headers: kept, agent }, (answer) => {
      tell(answer.statusCode ?? 0);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const self: ApiProxy = {
    url: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    fault: () => undefined,
    seen: [],
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      proxy.close();
      self.cut();
      agent.destroy();
    },
  };
  return self;
}
