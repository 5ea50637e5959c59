import { Agent, type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Client } from '@grpc/grpc-js';
import { WebSocket } from 'ws';
import type { Check } from '../../examples/check.ts';
import { callGrpc, createGrpcClient } from './call-grpc.ts';
import { createHttp2Caller, type Http2Caller } from './call-http2.ts';
import { readEvents } from './read-events.ts';
import { httpsPort, portOf, type Target } from './target.ts';

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

type Request = Pick<
  Check,
  'request' | 'headers' | 'body' | 'http2' | 'grpc' | 'events' | 'webSocket' | 'tlsMax'
>;

/** The parts of "GET /path" or "GET https://host/path". */
export function partsOf({ request }: Request) {
  const [method = '', url = ''] = request.split(' ');
  const secure = /^https:\/\/([^/]+)(\/.*)$/.exec(url);
  return { method, host: secure?.[1], path: secure?.[2] ?? url };
}

/** Calls one after the other over one connection. Dispose it to close the connection. */
export function createCaller(target: Target) {
  const options = { keepAlive: true, maxSockets: 1 };
  const agents = [new Agent(options), new SecureAgent(options)] as const;
  let grpc: Client | undefined;
  let http2: Http2Caller | undefined;
  return {
    call(check: Request): Promise<Answer> {
      const { method, host, path } = partsOf(check);
      if (check.grpc) {
        grpc ??= createGrpcClient(target.http);
        return callGrpc(grpc, path, check.grpc, check.headers ?? {});
      }
      if (check.webSocket !== undefined) {
        return talk(`ws://127.0.0.1:${target.http}${path}`, check.headers ?? {}, check.webSocket);
      }
      const body = check.body === undefined ? undefined : JSON.stringify(check.body);
      const common = { host: '127.0.0.1', method, path, timeout: 10_000 };
      const headers = {
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...check.headers,
      };
      if (check.http2) {
        const port = host === undefined ? target.http : portOf(target, httpsPort);
        http2 ??= createHttp2Caller(port, host, target.authorities);
        const { host: authority = host ?? `localhost:${port}`, ...fields } = headers as Record<
          string,
          string
        >;
        const pseudo = { ':method': method, ':path': path, ':authority': authority };
        return http2.call({ headers: { ...pseudo, ...fields }, body });
      }
      const request =
        host === undefined
          ? requestHttp({ ...common, port: target.http, headers, agent: agents[0] })
          : requestHttps({
              ...common,
              port: portOf(target, httpsPort),
              headers: { host, ...headers },
              servername: host,
              ca: target.authorities,
              ...(check.tlsMax ? { maxVersion: `TLSv${check.tlsMax}` as const } : {}),
              agent: agents[1],
            });
      return new Promise((resolve, reject) => {
        request.once('response', (response) => {
          if (check.events !== undefined) {
            return void readEvents(response, check.events).then(resolve, reject);
          }
          const { statusCode = 0, headers } = response;
          text(response).then((body) => {
            resolve({ status: statusCode, headers, text: body });
          }, reject);
        });
        request.once('timeout', () => request.destroy(new Error('no answer within 10 s')));
        request.once('error', (error: Error) => {
          if (!/alert protocol version/i.test(error.message)) reject(error);
          else resolve({ status: 0, headers: {}, text: '' });
        });
        request.end(body);
      });
    },
    [Symbol.dispose]() {
      for (const agent of agents) agent.destroy();
      http2?.close();
      grpc?.close();
    },
  };
}

/** One call over a connection of its own. */
export async function callOnce(target: Target, check: Request): Promise<Answer> {
  using caller = createCaller(target);
  return await caller.call(check);
}

/** Opens a WebSocket, sends a text, and takes what comes back. */
function talk(url: string, headers: Record<string, string>, said: string): Promise<Answer> {
  const socket = new WebSocket(url, { headers, handshakeTimeout: 10_000 });
  return new Promise((resolve, reject) => {
    let opened: IncomingHttpHeaders = {};
    socket.once('upgrade', (response) => {
      opened = response.headers;
    });
    socket.once('open', () => socket.send(said));
    socket.once('message', (data) => {
      socket.close();
      resolve({ status: 101, headers: opened, text: String(data) });
    });
    socket.once('unexpected-response', (_request, response) => {
      const { statusCode = 0, headers } = response;
      text(response).then((body) => resolve({ status: statusCode, headers, text: body }), reject);
    });
    socket.once('close', () => reject(new Error('closed without a message')));
    socket.once('error', reject);
  });
}
