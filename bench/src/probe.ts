import { request } from 'node:http';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { request as requestTls } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import type { Downstream } from './scenario.ts';

export type Target = {
  port: number;
  path: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  downstream?: Downstream;
};

/** `grpcStatus` is read with HTTP/2: of the trailers, with the message when there is one. */
export type Answer = { status: number; body: string; grpcStatus?: string };

const startupLimitMs = 10_000;
const answerLimitMs = 2000;
const pauseMs = 25;

/** One request on a connection of its own; certificates are not looked at. */
export function get(target: Target): Promise<Answer> {
  return target.downstream === 'http2' ? getHttp2(target) : getHttp1(target);
}

function describeStatus({ 'grpc-status': status, 'grpc-message': message }: IncomingHttpHeaders) {
  return message === undefined
    ? String(status)
    : `${status}: ${decodeURIComponent(String(message))}`;
}

function getHttp2({ port, path, method = 'GET', headers = {}, body }: Target): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', reject);
    const stream = session.request({ ...headers, ':method': method, ':path': path });
    const answer: Answer = { status: 0, body: '' };
    stream.setEncoding('utf8').setTimeout(answerLimitMs, () => {
      stream.destroy(new Error(`no answer within ${answerLimitMs} ms`));
    });
    stream.on('response', (head) => {
      answer.status = head[':status'] ?? 0;
      // An answer without messages has its status there.
      if (head['grpc-status'] !== undefined) answer.grpcStatus = describeStatus(head);
    });
    stream.on('data', (chunk: string) => {
      answer.body += chunk;
    });
    stream.on('trailers', (trailers) => {
      answer.grpcStatus = describeStatus(trailers);
    });
    stream.on('error', reject);
    stream.on('close', () => {
      session.destroy();
      if (answer.status === 0) reject(new Error('the stream ended without an answer'));
      else resolve(answer);
    });
    stream.end(body);
  });
}

function getHttp1(target: Target): Promise<Answer> {
  const { port, path, method = 'GET', headers = {}, body, downstream } = target;
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      headers,
      agent: false,
      rejectUnauthorized: false,
      timeout: answerLimitMs,
    };
    const ask = downstream === 'tls' ? requestTls : request;
    const outgoing = ask(options, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
      incoming.on('error', reject);
    });
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`no answer within ${answerLimitMs} ms`)),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What is wrong with the answer to one request, or undefined when it is the backend's. */
export async function findFault(target: Target, expectedBody: string): Promise<string | undefined> {
  try {
    const { status, body, grpcStatus } = await get(target);
    if (status !== 200)
      return `${target.path} is answered with status ${status}: ${body.slice(0, 200)}`;
    if (target.headers?.['content-type'] === 'application/grpc' && grpcStatus !== '0')
      return `${target.path} is answered with grpc-status ${grpcStatus}`;
    return body === expectedBody
      ? undefined
      : `${target.path} is answered with another body than the backend's`;
  } catch (error) {
    return `${target.path} is not answered: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Waits until a program answers with the backend's body. Fails when it ends first, or after 10 s. */
export async function waitUntilServing(
  child: Child,
  target: Target,
  expectedBody: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + startupLimitMs;
  for (;;) {
    signal.throwIfAborted();
    const fault = await findFault(target, expectedBody);
    if (fault === undefined) return;
    const ended = child.ended();
    if (ended !== undefined || performance.now() > deadline) {
      const reason = ended ?? `not serving within ${startupLimitMs / 1000} s, ${fault}`;
      throw new Error(
        `Cannot start "${child.name}": ${reason}\n${child.printed() || '(it printed nothing)'}`,
      );
    }
    await sleep(pauseMs, undefined, { signal });
  }
}
