import type { Terms } from '../scenario.ts';
import type { TokenLot } from '../tokens.ts';

/** The keys of the load's tokens, for a policy that cannot do without. */
export function keysOf({ lot }: Terms): TokenLot {
  if (lot === undefined) throw new Error('Cannot write a JWT policy: the load has no tokens');
  return lot;
}
