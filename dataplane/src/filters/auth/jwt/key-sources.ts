import { now } from '../../../state/clock.ts';
import type { Family } from '../../../telemetry/families.ts';
import type { Outbound } from '../../outbound.ts';
import { fetchKeySet } from './fetch-key-set.ts';
import { defaultTiming, type FetchTiming, RemoteKeys } from './remote-keys.ts';

export const keySetFetches: Family = {
  name: 'gatehouse_key_set_fetches_total',
  type: 'counter',
  help: 'Fetches of JSON Web Key Sets, by URL without query and by outcome: fetched or failed.',
};

/** The key sets that policies of a thread fetch; one a URL, whoever needs it. */
export type KeySources = {
  /** It is fetched for the first time in the background. @param timeout milliseconds for that */
  at(url: string, timeout: number): RemoteKeys;
};

/** Milliseconds for which a set stays that no policy in force needs: one may be about to come into force. */
const unwatchedFor = 600_000;

export function createKeySources(
  outbound: Outbound,
  count: (family: string, labels: Readonly<Record<string, string>>) => void,
  timing: FetchTiming = defaultTiming,
): KeySources {
  const sources = new Map<string, { keys: RemoteKeys; at: number }>();

  function forget(before: number) {
    for (const [url, { keys, at }] of sources) {
      if (!keys.watched && at < before) sources.delete(url);
    }
  }

  return {
    at(url, timeout) {
      const at = now();
      forget(at - unwatchedFor);
      let source = sources.get(url);
      if (source) source.at = at;
      else {
        const [label = url] = url.split('?');
        const counted = (outcome: string) => count(keySetFetches.name, { url: label, outcome });
        const fetchText = (limit: number) => fetchKeySet(outbound, url, limit);
        source = { keys: new RemoteKeys(fetchText, timing, counted), at };
        sources.set(url, source);
      }
      source.keys.warm(timeout);
      return source.keys;
    },
  };
}
