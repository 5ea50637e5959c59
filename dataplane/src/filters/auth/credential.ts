import type { CredentialPlace } from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import type { Effects } from '../filter.ts';

/** A credential as the client sent it, and where. */
export type Credential = {
  /** '' for what no server is to learn: a password, a key. */
  value: string;
  /** Keeps it from the upstream. */
  strip(head: RequestHead, effects: Effects): void;
};

/** `ambiguous`: sent twice in one place, so that two readers might read two things. */
export type Found = Credential | 'ambiguous' | undefined;

/** The same, but what it was stays with the method that read it. */
export function withoutValue(credential: Credential): Credential {
  return { value: '', strip: (head, effects) => credential.strip(head, effects) };
}

export type CredentialReader = (exchange: Exchange) => Found;

/** Reads the first of the places that holds a credential. */
export function credentialReader(places: readonly CredentialPlace[]): CredentialReader {
  const readers = places.map(placeReader);
  const [only] = readers;
  if (readers.length === 1 && only) return ({ head }) => only(head);
  return ({ head }) => {
    for (const read of readers) {
      const found = read(head);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** RFC 6750 section 2.1. */
export const bearer: readonly CredentialPlace[] = [{ header: 'authorization', scheme: 'Bearer' }];

function placeReader({
  header,
  scheme = '',
  cookie,
  query,
}: CredentialPlace): (head: RequestHead) => Found {
  if (header !== undefined) {
    const name = header.toLowerCase();
    const prefix = scheme === '' ? '' : `${scheme.toLowerCase()} `;
    return (head) => fromHeader(head, name, prefix);
  }
  if (cookie !== undefined) return (head) => fromCookie(head, cookie);
  return (head) => fromQuery(head, query ?? '');
}

class HeaderCredential implements Credential {
  readonly value: string;
  readonly #index: number;

  constructor(value: string, index: number) {
    this.value = value;
    this.#index = index;
  }

  strip(_head: RequestHead, effects: Effects) {
    effects.hidden = [...(effects.hidden ?? []), this.#index];
  }
}

/** A field of another scheme is not ours; a second field line of the name makes it ambiguous. */
function fromHeader(head: RequestHead, name: string, prefix: string): Found {
  const index = head.lineOf(name);
  if (index < 0) return index === -1 ? undefined : 'ambiguous';
  const value = head.message.valueAt(index);
  if (prefix === '') return value === '' ? undefined : new HeaderCredential(value, index);
  if (value.slice(0, prefix.length).toLowerCase() !== prefix) return undefined;
  // RFC 9110 section 11.4: one or more spaces.
  const token =
    value.charCodeAt(prefix.length) === 32
      ? value.slice(prefix.length).trimStart()
      : value.slice(prefix.length);
  return token === '' ? undefined : new HeaderCredential(token, index);
}

/** RFC 6265 section 5.4; several Cookie fields count as one (RFC 9113 section 8.2.3). */
function fromCookie(head: RequestHead, name: string): Found {
  const all = head.header('cookie');
  if (all === undefined) return undefined;
  const pairs = all.split(/[;,] ?/);
  const ours = pairs.filter((pair) => pair.startsWith(`${name}=`));
  const [first, second] = ours;
  if (first === undefined) return undefined;
  if (second !== undefined) return 'ambiguous';
  const value = first.slice(name.length + 1).replace(/^"(.*)"$/, '$1');
  if (value === '') return undefined;
  return { value, strip: (_head, effects) => stripCookie(_head, effects, name) };
}

function stripCookie(head: RequestHead, effects: Effects, name: string) {
  const rest: string[] = [];
  for (const index of head.linesOf('cookie')) {
    effects.hidden = [...(effects.hidden ?? []), index];
    rest.push(...head.message.valueAt(index).split('; '));
  }
  const kept = rest.filter((pair) => !pair.startsWith(`${name}=`));
  if (kept.length > 0) effects.upstreamFields += `cookie: ${kept.join('; ')}\r\n`;
}

/** RFC 6750 section 2.3. */
function fromQuery(head: RequestHead, name: string): Found {
  if (head.query === '' || !head.query.includes('=')) return undefined;
  const [first, second] = new URLSearchParams(head.query).getAll(name);
  if (first === undefined || first === '') return undefined;
  if (second !== undefined) return 'ambiguous';
  return {
    value: first,
    strip(_head, effects) {
      effects.query = (effects.query ?? head.query)
        .split('&')
        .filter((part) => !new URLSearchParams(part).has(name))
        .join('&');
    },
  };
}
