import { ApiFault, faultOf, fieldsOf } from './api-fault.ts';
import type { ApiServer, Query } from './api-server.ts';

/** What happened to an object; a bookmark tells only how far the watch has come. */
export type WatchEvent =
  | { type: 'put' | 'remove'; object: unknown; resourceVersion: string }
  | { type: 'bookmark'; resourceVersion: string };

/** A watch ends in order after so many seconds, spread so that not all end at once. */
const lifetime = { least: 240, spread: 240 };
/** Bookmarks come about once a minute, so this long a silence is a dead watch, in milliseconds. */
const longestSilence = 75_000;

/**
 * What happens after `resourceVersion`, in the batches that arrive, until the server ends the watch.
 * @throws ApiFault, with status 410 when so old a version is not known any more.
 */
export async function* watchFrom(
  api: ApiServer,
  { path, query, signal }: { path: string; query: Query; signal: AbortSignal },
  resourceVersion: string,
): AsyncGenerator<WatchEvent[]> {
  const lines = api.lines({
    path,
    query: {
      ...query,
      watch: 1,
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: Math.round(lifetime.least + Math.random() * lifetime.spread),
    },
    signal,
    silence: longestSilence,
  });
  for await (const batch of lines) {
    const events: WatchEvent[] = [];
    for (const line of batch) {
      const event = eventOf(line);
      if (event instanceof ApiFault) {
        if (events.length > 0) yield events;
        throw event;
      }
      events.push(event);
    }
    yield events;
  }
}

function eventOf(line: unknown): WatchEvent | ApiFault {
  const { type, object } = fieldsOf(line);
  if (type === 'ERROR') return faultOf(200, object);
  const { resourceVersion } = fieldsOf(fieldsOf(object).metadata);
  if (typeof resourceVersion !== 'string') return new ApiFault('an event has no version', 0);
  if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion };
  if (type === 'DELETED') return { type: 'remove', object, resourceVersion };
  if (type === 'ADDED' || type === 'MODIFIED') return { type: 'put', object, resourceVersion };
  return new ApiFault(`an event is of the unknown type ${JSON.stringify(type)}`, 0);
}
