import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import {
  deadline,
  type Outgoing,
  type Pulse,
  silent,
  type Transport,
  type Trust,
} from './transport.ts';

/** A peer that is gone is noticed after 5 + 3 x 2 seconds, in milliseconds. */
const keepAlive = { enable: true, initialDelay: 5000, interval: 2000, count: 3 };
/** Connections that wait for the next request; watches have one each beside them. */
const mostIdle = 16;
/** Any answer to it is a sign of life. Everybody may ask for it. */
const pulsePath = '/livez';

/**
 * HTTP/1.1, on connections that are kept. A connection on which a watch waits cannot be asked whether
 * it lives, so the server is, while watches wait and nothing arrives; when it does not answer all
 * connections are cut.
 * @param given the agent of a proxy, which then makes the connections.
 */
export function http1Transport(
  base: URL,
  trust: Trust,
  pulse: Pulse,
  given?: RequestOptions['agent'],
): Transport {
  const plain = base.protocol === 'http:';
  const send = plain ? request : httpsRequest;
  const agentOptions = { keepAlive: true, maxFreeSockets: mostIdle, ...(trust as object) };
  const own = plain ? new HttpAgent(agentOptions) : new HttpsAgent(agentOptions);
  const agent = given ?? own;
  const answers = new Set<IncomingMessage>();
  let heard = performance.now();
  let asking = false;

  function exchange({ method, path, headers, body, signal }: Outgoing): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { agent, method, path, headers, signal };
      const outgoing = send(base, options, (answer) => {
        heard = performance.now();
        resolve(answer);
      });
      outgoing.on('socket', (socket: Socket) => socket.setKeepAlive(keepAlive));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async function ask(headers: Record<string, string>): Promise<void> {
    asking = true;
    const stopped = new AbortController();
    const late = deadline(pulse.timeout, () => {
      stopped.abort();
      for (const answer of answers) answer.destroy(new Error(silent));
      own.destroy();
    });
    try {
      const path = base.pathname.replace(/\/$/, '') + pulsePath;
      const { signal } = stopped;
      const answer = await exchange({ method: 'GET', path, headers, body: undefined, signal });
      answer.resume();
    } catch {
      // Refused or reset: whoever uses a connection of its own hears of it there.
    } finally {
      late.stop();
      asking = false;
    }
  }

  let headers: Record<string, string> = {};
  const timer = setInterval(() => {
    const quiet = performance.now() - heard > pulse.interval;
    if (answers.size > 0 && quiet && !asking) void ask(headers);
  }, pulse.interval);
  timer.unref();

  return {
    async open(outgoing) {
      const answer = await exchange(outgoing);
      const { authorization } = outgoing.headers;
      headers = authorization === undefined ? {} : { authorization };
      answers.add(answer);
      answer.once('close', () => answers.delete(answer));
      answer.on('data', () => {
        heard = performance.now();
      });
      // Whoever reads it starts the flow.
      answer.pause();
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: answer };
    },
    retire() {
      for (const sockets of Object.values(own.freeSockets)) {
        for (const socket of sockets ?? []) socket.destroy();
      }
    },
    close() {
      clearInterval(timer);
      own.destroy();
    },
  };
}
