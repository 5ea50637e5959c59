import type { Worker } from 'node:worker_threads';
import { Lane } from '@gatehouse/snapshot';
import { defaultLimits } from '../http1/limits.ts';
import { Oversight } from '../upstreams/oversight/oversight.ts';
import type { UpstreamEvent } from '../upstreams/surroundings.ts';
import { startWorkers } from '../workers/fleet.ts';
import { connectTo } from './client.ts';
import { reservePort } from './gateway.ts';
import { type Message, statusOf } from './message.ts';
import type { Peer } from './peer.ts';
import { lanesOf, type TestSnapshot } from './snapshot.ts';

/** Two threads that serve, and the oversight over their upstreams. */
export type TestFleet = Awaited<ReturnType<typeof startFleet>>;

export async function startFleet() {
  const threads: Worker[] = [];
  const clients: Peer[] = [];
  const events: UpstreamEvent[] = [];
  const remember = (thread: Worker) => threads.push(thread);
  process.on('worker', remember);
  const { port, release } = await reservePort();
  await release();
  const fleet = startWorkers({
    count: 2,
    host: '127.0.0.1',
    zone: '',
    limits: defaultLimits,
    logLevel: 'fatal',
    accessLog: undefined,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const oversight = new Oversight({ ...fleet.overseen, report: (event) => events.push(event) });

  /** Sends a request on each of so many new connections: about half of them come to each thread. */
  async function send(count: number, path = '/'): Promise<Peer[]> {
    const peers = await Promise.all(Array.from({ length: count }, () => connectTo(port)));
    for (const peer of peers) peer.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    clients.push(...peers);
    return peers;
  }

  async function answers(count: number, path?: string): Promise<Message[]> {
    return Promise.all((await send(count, path)).map((peer) => peer.message()));
  }

  return {
    /** Every thread that was ever started. */
    threads,
    oversight,
    /** What the main thread told of upstreams. */
    events,
    regions: fleet.regions,
    send,
    answers,
    statuses: async (count: number) => (await answers(count)).map(statusOf),
    /** @throws Error when it is refused. */
    async use(snapshot: TestSnapshot) {
      const { config, endpoints } = lanesOf(snapshot, port);
      const refusals = [
        ...(await fleet.apply(Lane.ENDPOINTS, endpoints)),
        ...(await fleet.apply(Lane.CONFIG, config)),
      ];
      if (refusals.length > 0) throw new Error(JSON.stringify(refusals));
      oversight.useEndpoints(endpoints);
      oversight.useConfig(config);
    },
    /** Ends both threads that were started first, and waits until others serve in their place. */
    async replaceThreads(path: string) {
      for (const thread of threads.slice(0, 2)) {
        const before = threads.length;
        await thread.terminate();
        while (threads.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      while ((await Promise.allSettled([answers(20, path)]))[0]?.status !== 'fulfilled');
    },
    async close() {
      process.off('worker', remember);
      for (const client of clients.splice(0)) client.socket.destroy();
      oversight.close();
      await fleet.close(0);
    },
  };
}
