import { Field, type FieldCode } from './field-names.ts';
import type { Message } from './message.ts';

/** Names of header fields that only the gateway may send to upstreams. */
export type GuardedNames = {
  /** Folded, see `folded`. */
  names: ReadonlySet<string>;
  /** Bit `length & 31` is set when some name has that length. */
  lengths: number;
};

/** Undefined for an empty list. */
export function guardedNames(names: readonly string[]): GuardedNames | undefined {
  if (names.length === 0) return undefined;
  let lengths = 0;
  for (const name of names) lengths |= 1 << (name.length & 31);
  return { names: new Set(names.map(folded)), lengths };
}

/**
 * Backends that hand headers on as variables (CGI, RFC 3875 section 4.1.18, and what follows it) fold
 * case and everything that is neither letter nor digit: X_User.Id reads as X-User-ID.
 */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/** Marks the field lines with a guarded name: they are not passed on, and nobody else reads them. */
export function dropGuarded(
  { names, lengths }: GuardedNames,
  message: Message,
  codes: FieldCode[],
) {
  const { spans, fieldCount } = message;
  for (let i = 0; i < fieldCount; i++) {
    const length = (spans[4 * i + 1] ?? 0) - (spans[4 * i] ?? 0);
    if ((lengths & (1 << (length & 31))) === 0) continue;
    if (names.has(folded(message.nameAt(i)))) codes[i] = Field.guarded;
  }
}
