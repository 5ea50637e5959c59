import { ApiFault, fieldsOf } from './api-fault.ts';
import type { ApiServer, Query } from './api-server.ts';

export interface Listing {
  items: unknown[];
  /** Where a watch goes on from. */
  resourceVersion: string;
}

/** Objects in one answer. */
const pageSize = 500;

/**
 * Reads a whole collection as it is now, page by page. `keep` reduces each object as its page arrives,
 * so that the raw collection is never in memory. When the first page has become too old for the
 * following ones (410) everything is read once more, in one answer.
 * @throws ApiFault
 */
export async function listAll(
  api: ApiServer,
  { path, query, signal }: { path: string; query: Query; signal: AbortSignal },
  keep: (item: unknown) => unknown,
): Promise<Listing> {
  const items: unknown[] = [];
  let token: string | undefined;
  for (;;) {
    // No resourceVersion: as of now, so a list never goes back behind what was seen before.
    const page = { ...query, limit: pageSize, ...(token === undefined ? {} : { continue: token }) };
    let answer: unknown;
    try {
      answer = await api.request({ path, query: page, signal });
    } catch (error) {
      if (token === undefined || !(error instanceof ApiFault) || error.status !== 410) throw error;
      items.length = 0;
      answer = await api.request({ path, query, signal });
    }
    const { items: found, metadata } = fieldsOf(answer);
    const { resourceVersion, continue: next } = fieldsOf(metadata);
    // Go writes an empty list as null.
    if (!(Array.isArray(found) || found === null || found === undefined)) throw noList();
    if (typeof resourceVersion !== 'string') throw noList();
    for (const item of found ?? []) items.push(keep(item));
    if (typeof next !== 'string' || next === '') return { items, resourceVersion };
    token = next;
  }
}

function noList(): ApiFault {
  return new ApiFault('the answer is no list of Kubernetes objects', 0);
}
