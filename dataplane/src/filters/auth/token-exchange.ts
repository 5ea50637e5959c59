import type { IdentityFields } from '@gatehouse/crds';
import {
  type Effects,
  type LinkContext,
  LinkFault,
  type Outcome,
  type RuleInForce,
} from '../filter.ts';

/** Puts a token for the upstream in place of the client's (RFC 8693). */
export type TokenExchange = (token: string, effects: Effects) => Promise<Outcome>;

export function linkTokenExchange(
  _exchange: NonNullable<IdentityFields['exchange']>,
  _rule: RuleInForce,
  _context: LinkContext,
): TokenExchange {
  throw new LinkFault('identity.exchange', 'is not there yet');
}
