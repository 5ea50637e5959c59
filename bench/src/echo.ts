import { join } from 'node:path';
import type { Backend } from './backend.ts';
import { startChild } from './child.ts';
import { loadCore } from './cores.ts';
import type { SendLoad } from './load.ts';
import { freePorts } from './ports.ts';
import { waitUntilServing } from './probe.ts';
import type { Load } from './scenario.ts';
import { backendBody } from './service.ts';

const program = join(import.meta.dirname, 'fixtures', 'echo.ts');

type Order = Readonly<Record<string, string | number>>;

type Echoes = {
  requests: number;
  seconds: number;
  p99Ms: number;
  late: number;
  unanswered: number;
  closed: number;
};

async function tell<Result>(
  port: number,
  what: string,
  order: Order,
  signal: AbortSignal,
): Promise<Result> {
  const query = Object.entries(order).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  const answer = await fetch(`http://127.0.0.1:${port}/bench/${what}?${query.join('&')}`, {
    signal,
  });
  const result = await answer.json();
  if (answer.ok) return result as Result;
  throw new Error(`Cannot ${what} WebSockets: ${JSON.stringify(result)}`);
}

/**
 * Starts a process on the load core that is both the backend and the clients of WebSockets. A measurement opens the
 * load's connections, echoes on them at the load's rate, and closes them.
 */
export async function startEcho(
  { connections, paths, rate = connections }: Load,
  signal: AbortSignal,
): Promise<{ backend: Backend; send: SendLoad }> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('Cannot find a free port');
  const [path = '/'] = paths;
  const child = await startChild('echo', loadCore, process.execPath, [program, String(port)]);
  try {
    await waitUntilServing(child, { port, path }, backendBody, signal);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  const count = async () => (await tell<{ count: number }>(port, 'count', {}, signal)).count;
  const send: SendLoad = async (target, seconds, interruption, watch) => {
    await tell(port, 'open', { port: target, path, connections }, interruption);
    await watch?.begin();
    const { late, unanswered, closed, ...result } = await tell<Echoes>(
      port,
      'send',
      { rate, seconds },
      interruption,
    );
    await watch?.end();
    await tell(port, 'close', {}, interruption);
    const errors = [
      { kind: 'message that waited for the one before', count: late },
      { kind: 'message without an echo', count: unanswered },
      { kind: 'connection closed', count: closed },
    ];
    return {
      ...result,
      rps: result.requests / result.seconds,
      errors: errors.filter((error) => error.count > 0),
    };
  };
  return { backend: { child, port, answer: backendBody, count }, send };
}
