import type { Exchange } from '../../../exchange/exchange.ts';
import { forwardedFields } from '../external/request-view.ts';

/** Where the browser believes it is: behind trusted proxies as they tell it. */
export type Origin = { secure: boolean; text: string };

const authority = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;

/** Undefined for a client that tells no host. */
export function originOf(exchange: Exchange): Origin | undefined {
  const fields = forwardedFields(exchange);
  const first = (name: string) => (fields[name] ?? '').split(',')[0]?.trim() ?? '';
  const [scheme, host] = [first('x-forwarded-proto').toLowerCase(), first('x-forwarded-host')];
  if (!authority.test(host) || (scheme !== 'https' && scheme !== 'http')) return undefined;
  return { secure: scheme === 'https', text: `${scheme}://${host.toLowerCase()}` };
}

/** Whether an answer that redirects would be shown to a person, rather than read by a script. */
export function isNavigation({ head }: Exchange): boolean {
  if (head.method !== 'GET' && head.method !== 'HEAD') return false;
  // Fetch Metadata: what every current browser tells.
  const mode = head.header('sec-fetch-mode');
  if (mode !== undefined && mode !== 'navigate') return false;
  if (head.header('sec-purpose')?.includes('prefetch')) return false;
  if (head.header('x-requested-with')?.toLowerCase() === 'xmlhttprequest') return false;
  const accept = head.header('accept');
  return accept === undefined || /text\/html|\*\/\*/i.test(accept);
}

/** Bytes of a place to return to that are kept in a cookie. */
const longestReturn = 2048;

/**
 * Where a login returns to: always a path of the same origin. The path is normalised, so that it begins
 * with one slash and holds no backslash.
 */
export function returnTarget({ head }: Exchange): string {
  const target = head.query === '' ? head.path : `${head.path}?${head.query}`;
  return localTarget(target);
}

/** "/" for whatever is no path of the same origin. */
export function localTarget(target: unknown): string {
  if (typeof target !== 'string' || target.length > longestReturn) return '/';
  return /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(target) ? target : '/';
}
