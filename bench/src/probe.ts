import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';

export type Target = {
  port: number;
  path: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
};

export type Answer = { status: number; body: string };

const startupLimitMs = 10_000;
const answerLimitMs = 2000;
const pauseMs = 25;

/** One request on a connection of its own. */
export function get(target: Target): Promise<Answer> {
  const { port, path, method = 'GET', headers = {}, body } = target;
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      headers,
      agent: false,
      timeout: answerLimitMs,
    };
    const outgoing = request(options, (incoming) => {
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
    const { status, body } = await get(target);
    if (status !== 200)
      return `${target.path} is answered with status ${status}: ${body.slice(0, 200)}`;
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
