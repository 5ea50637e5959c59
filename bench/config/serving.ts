import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

export type Target = { host: string; port: number };

const agent = new Agent({ keepAlive: true });
/** Between two looks, in milliseconds. */
const interval = 2;

/** The body of an answer with 200; undefined for any other answer, and when nobody listens. */
export function ask(
  { host, port }: Target,
  authority: string,
  path = '/',
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port, path, agent, headers: { host: authority } },
      (response) => {
        text(response).then(
          (body) => resolve(response.statusCode === 200 ? body : undefined),
          reject,
        );
      },
    );
    outgoing.setTimeout(1000, () => outgoing.destroy());
    outgoing.on('error', () => resolve(undefined));
    outgoing.end();
  });
}

/**
 * Asks again and again until each target answers so.
 * @returns performance.now() of the last first right answer.
 * @throws Error after `timeout` milliseconds.
 */
export async function untilServed(
  targets: readonly Target[],
  authority: string,
  body: string,
  timeout = 30_000,
): Promise<number> {
  const until = performance.now() + timeout;
  const times = targets.map(async (target) => {
    while ((await ask(target, authority)) !== body) {
      if (performance.now() > until) {
        throw new Error(`Cannot wait any longer for "${body}" of ${authority} at ${target.host}`);
      }
      await pause(interval);
    }
    return performance.now();
  });
  return Math.max(...(await Promise.all(times)));
}

export function closeServing(): void {
  agent.destroy();
}
