import type { DiscoveredEndpoint } from '../../../store/discovery.ts';
import type { Fault, Sink } from '../source-watch.ts';

type Found = { endpoints: DiscoveredEndpoint[]; mistakes: string[]; note: string };
export type Heard = Found | { failed: string[]; transient: boolean };

/** A sink that remembers what it took, and tells when something that is waited for has come. */
export function createRecorder() {
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  const take = (one: Heard) => {
    heard.push(one);
    for (const look of waiting) look();
  };
  const texts = (mistakes: Fault['mistakes']) =>
    mistakes.map(({ path, reason }) => `${path}: ${reason}`);
  const sink: Sink = {
    found: (endpoints, { mistakes, note }) => take({ endpoints, mistakes: texts(mistakes), note }),
    failed: ({ mistakes, transient }) => take({ failed: texts(mistakes), transient }),
  };
  return {
    sink,
    heard,
    /** The first that fits of those that were not passed over yet. */
    next<T extends Heard>(fits: (one: Heard) => one is T): Promise<T> {
      return new Promise((resolve) => {
        const look = () => {
          for (;;) {
            const one = heard.shift();
            if (one === undefined) return;
            if (!fits(one)) continue;
            waiting.delete(look);
            resolve(one);
            return;
          }
        };
        waiting.add(look);
        look();
      });
    },
    /** The next list, whatever it holds. */
    any() {
      return this.next((one) => 'endpoints' in one);
    },
    /** The next list of just these ports. */
    list(...ports: number[]) {
      return this.next(
        (one): one is Found =>
          'endpoints' in one &&
          same(
            one.endpoints.map(({ port }) => port),
            ports,
          ),
      );
    },
    /** The next list of just these addresses. */
    addresses(...addresses: string[]) {
      return this.next(
        (one): one is Found =>
          'endpoints' in one &&
          same(
            one.endpoints.map(({ address }) => address),
            addresses,
          ),
      );
    },
    fault() {
      return this.next((one): one is Extract<Heard, { failed: unknown }> => 'failed' in one);
    },
  };
}

function same<T>(found: T[], wanted: T[]): boolean {
  return found.length === wanted.length && new Set(found).isSubsetOf(new Set(wanted));
}
