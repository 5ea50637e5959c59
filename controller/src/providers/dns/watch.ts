import { Resolver } from 'node:dns/promises';
import type { DnsSource } from '../../compile/discovery-source.ts';
import type { Fault, Retry, Sink, SourceWatch } from '../discovery/source-watch.ts';
import { backoff, pause } from '../kubernetes/backoff.ts';
import { circleFrom, isDnsError } from './addresses.ts';
import { cnameLoop, faultOf, noRecords } from './fault.ts';
import { type Resolution, resolve } from './resolve.ts';

/** Milliseconds. */
export type DnsTiming = {
  /** For the answer of one name server; each is asked twice. */
  timeout: number;
  retry: Retry;
};

const defaultTiming: DnsTiming = { timeout: 2000, retry: { first: 1000, most: 30_000 } };

/** Replicas that began at one time do not ask at one time for ever: up to so much of a TTL later. */
const jitter = 0.1;

/** Resolves a name whenever what is known of it may not be used any more, until closed. */
export function watchDns(
  source: DnsSource,
  sink: Sink,
  { timeout, retry: { first, most } }: DnsTiming = defaultTiming,
): SourceWatch {
  const over = new AbortController();
  const retry = backoff(first, Math.min(most, Math.max(first, source.maxTtl)));
  let resolver: Resolver | undefined;

  /** Returns how long to wait before the next question. */
  async function round(): Promise<number> {
    // A new one each time: the name servers of the system may have changed.
    const asked = new Resolver({ timeout, tries: 2 });
    if (source.resolvers.length > 0) asked.setServers(source.resolvers);
    resolver = asked;
    let found: Resolution;
    try {
      found = await resolve(source, asked);
    } catch (error) {
      const loop = isDnsError(error, 'ESERVFAIL') ? await circle(asked) : undefined;
      return failed(loop ?? faultOf(error, source));
    }
    const { endpoints, ttl, mistakes } = found;
    if (endpoints.length === 0) {
      if (mistakes.length > 0) return failed({ mistakes, transient: false });
      return failed((await circle(asked)) ?? noRecords(source));
    }
    if (over.signal.aborted) return 0;
    sink.found(endpoints, { mistakes, note: '' });
    retry.reset();
    const wait = Math.min(Math.max(ttl * 1000, source.minTtl), source.maxTtl);
    return wait * (1 + Math.random() * jitter);
  }

  /** Resolvers answer names that lead in a circle by SERVFAIL, or with aliases and no address. */
  async function circle(asked: Resolver): Promise<Fault | undefined> {
    const names = await circleFrom(asked, source.name);
    return names && cnameLoop(names);
  }

  function failed(fault: Fault): number {
    if (over.signal.aborted) return 0;
    sink.failed(fault);
    return retry.next();
  }

  const running = (async () => {
    while (!over.signal.aborted) {
      const wait = await round();
      if (wait > 0) await pause(wait, over.signal);
    }
  })();

  return {
    async close() {
      over.abort();
      resolver?.cancel();
      await running;
    },
  };
}
