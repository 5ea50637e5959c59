import type { ConsulSecrets } from '../../compile/consul-secrets.ts';
import type { ConsulSource } from '../../compile/discovery-source.ts';
import type { Fault, Retry, Sink, SourceWatch } from '../discovery/source-watch.ts';
import { backoff, pause } from '../kubernetes/backoff.ts';
import { type Answer, type ConsulClient, connectConsul } from './client.ts';
import { denied, faultOf, noConsul, unknownService, unknownTags } from './fault.ts';
import { type Instances, readInstances } from './instances.ts';

/** Milliseconds. */
export type ConsulTiming = {
  /** At least so often everything is asked for, whatever was told of changes. */
  refresh: number;
  /** Least time between two questions: a service that flaps is not asked for all the time. */
  gap: number;
  /** The same where questions do not block. */
  poll: number;
  /** For an answer, beside the time that Consul was asked to wait. */
  patience: number;
  retry: Retry;
};

const defaultTiming: ConsulTiming = {
  refresh: 30_000,
  gap: 200,
  poll: 1000,
  patience: 5000,
  retry: { first: 250, most: 30_000 },
};

/**
 * Follows the instances of a service by blocking queries (Consul, "Blocking Queries": an index that goes
 * backwards or is 0 begins anew) until closed.
 */
export function watchConsul(
  source: ConsulSource,
  secrets: ConsulSecrets,
  sink: Sink,
  timing: ConsulTiming = defaultTiming,
): SourceWatch {
  const over = new AbortController();
  const retry = backoff(timing.retry.first, timing.retry.most);
  const client = connectConsul(source, secrets, timing.patience);
  /** 0: nothing is held that a question could wait for a change of. */
  let index = 0n;
  let refreshAt = 0;

  /** Asks once; returns how long to wait before the next question. */
  async function round(consul: ConsulClient): Promise<number> {
    const began = performance.now();
    const left = refreshAt - began;
    const whole = index === 0n || left < timing.refresh / 10;
    // Consul waits up to a sixteenth longer than it is asked to.
    const wait = whole ? 0 : (left * 16) / 17;
    const question = { passing: true, ...(whole ? {} : { after: { index, wait } }) };
    let answer: Answer;
    let judged: Found | Fault;
    try {
      answer = await consul.ask(question);
      judged = await judge(consul, answer);
    } catch (error) {
      if (over.signal.aborted) return 0;
      // Whatever happens meanwhile, the next answer comes at once.
      index = 0n;
      sink.failed(faultOf(error, source));
      return retry.next();
    }
    if (over.signal.aborted) return 0;
    if ('endpoints' in judged) sink.found(judged.endpoints, judged);
    else sink.failed(judged);
    const before = whole ? 0n : index;
    index = answer.index < before ? 0n : answer.index;
    if (whole) refreshAt = performance.now() + timing.refresh * (0.9 + Math.random() / 10);
    if (index === 0n && 'transient' in judged) return retry.next();
    retry.reset();
    const took = performance.now() - began;
    const blocked = whole ? index > 0n : index !== before || took > wait / 2;
    return (blocked ? timing.gap : timing.poll) - took;
  }

  async function judge(consul: ConsulClient, answer: Answer): Promise<Found | Fault> {
    const instances = readInstances(answer.body, source.zoneMeta);
    if (instances === undefined) return noConsul(source);
    const { count, endpoints, mistakes } = instances;
    if (endpoints.length > 0) {
      const hidden = answer.filtered ? denied(source).mistakes : [];
      return { endpoints, mistakes: [...mistakes, ...hidden], note: '' };
    }
    if (count > 0) return { mistakes, transient: false };
    return whyEmpty(consul, answer);
  }

  /** Whether the service is there at all. */
  async function whyEmpty(
    consul: ConsulClient,
    { filtered, deniesByDefault }: Answer,
  ): Promise<Found | Fault> {
    if (filtered) return denied(source);
    const all = await consul.ask({ passing: false });
    const instances = readInstances(all.body, source.zoneMeta);
    if (instances === undefined) return noConsul(source);
    if (instances.count === 0) {
      if (all.filtered) return denied(source);
      // Consul does not tell anonymous clients that something is hidden from them.
      return deniesByDefault && secrets.token === undefined
        ? denied(source)
        : unknownService(source);
    }
    return noneUsable(all.body, instances);
  }

  function noneUsable(body: unknown, { count }: Instances): Found | Fault {
    const tagged = withTags(body, source.tags);
    if (tagged === 0) return unknownTags(source, count);
    const note = `no instance of service "${source.service}" passes its checks (instances: ${tagged})`;
    return { endpoints: [], mistakes: [], note };
  }

  const running = (async () => {
    const consul = await client;
    while (!over.signal.aborted) {
      const wait = await round(consul);
      if (wait > 0) await pause(wait, over.signal);
    }
  })();

  return {
    async close() {
      over.abort();
      (await client).close();
      await running;
    },
  };
}

type Found = Pick<Instances, 'endpoints' | 'mistakes'> & { note: string };

/** How many of the instances have all the tags. */
function withTags(body: unknown, tags: readonly string[]): number {
  const instances = Array.isArray(body) ? (body as { Service?: { Tags?: unknown } }[]) : [];
  return instances.filter((instance) => {
    const own = instance.Service?.Tags;
    return tags.every((tag) => Array.isArray(own) && own.includes(tag));
  }).length;
}
