import { isJwtAlgorithm, type KeySet } from '@gatehouse/crds';
import type { Claims } from './claims.ts';
import type { Issuer } from './issuer.ts';
import { verifies } from './signature.ts';
import type { Token } from './token.ts';

/** `keys`: it may be good with newer keys than those that are there, if any are. */
export type Verdict =
  | { kind: 'good'; claims: Claims }
  | { kind: 'bad'; reason: string }
  | { kind: 'keys'; reason: string };

/** Keys that are tried for one token. A kid is the way to have more. */
const mostTries = 8;

/** Verifies a token by the keys of the issuer that are there. */
export function verifyToken(token: Token, issuer: Issuer): Verdict {
  const { alg } = token;
  if (!isJwtAlgorithm(alg) || !issuer.accepts(alg)) return bad('the algorithm is not accepted');
  const { keys } = issuer.source;
  if (!keys) return { kind: 'keys', reason: 'there are no keys yet' };
  const chosen = issuer.anyKid || token.kid === '' ? keys.keys : keysNamed(keys, token.kid);
  // The header chooses among the algorithms of a key, never beyond (RFC 8725 section 3.1).
  const fitting = chosen.filter(({ algorithms }) => algorithms.includes(alg));
  if (fitting.length > mostTries) return bad(`more than ${mostTries} keys fit: it needs a kid`);
  for (const { key } of fitting) {
    if (!verifies(alg, key, token.signed, token.signature)) continue;
    const claims = issuer.check(token.payload);
    return typeof claims === 'string' ? bad(claims) : { kind: 'good', claims };
  }
  const reason =
    fitting.length > 0 ? 'the signature is wrong' : 'no key fits its kid and algorithm';
  return keys.byKid.has(token.kid) && token.kid !== '' ? bad(reason) : { kind: 'keys', reason };
}

/** A key without kid contradicts none. */
function keysNamed({ byKid }: KeySet, kid: string): KeySet['keys'] {
  return byKid.get(kid) ?? byKid.get('') ?? [];
}

function bad(reason: string): Verdict {
  return { kind: 'bad', reason };
}
