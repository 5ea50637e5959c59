import { defaults, parseDuration } from '@gatehouse/crds';
import type { Exchange } from '../../../exchange/exchange.ts';
import { LinkFault } from '../../filter.ts';
import { bearer, type Credential, credentialReader } from '../credential.ts';
import { identityOf } from '../identity.ts';
import { expiryOf, linkClaims } from '../jwt/claims.ts';
import { createHeaderReader } from '../jwt/header.ts';
import { type Issuer, linkIssuer } from '../jwt/issuer.ts';
import { readToken, type Token, unverifiedIssuer } from '../jwt/token.ts';
import { type Verdict, verifyToken } from '../jwt/verify.ts';
import type { Attempt, LinkMethod } from '../method.ts';

const missing: Attempt = { kind: 'missing' };
const invalid = (reason: string): Attempt => ({ kind: 'invalid', reason });
const ambiguous = invalid('the token was sent more than once');
const unknownIssuer = invalid('the claim iss names no issuer of the method');

/** A signed JSON Web Token (RFC 7519), by the rules of RFC 8725. */
export const linkJwt: LinkMethod<'jwt'> = (config, context) => {
  const skew = parseDuration(config.clockSkew ?? defaults.clockSkew) / 1000;
  const read = credentialReader(config.from ?? bearer);
  const readHeader = createHeaderReader();
  const cache = context.thread.verifiedTokens.open();
  const issuers = new Map<string | undefined, Issuer>();
  for (const [index, issuer] of config.issuers.entries()) {
    const path = `issuers[${index}]`;
    const { issuer: name, audiences } = issuer;
    if (issuers.has(name) || (name === undefined && config.issuers.length > 1)) {
      throw new LinkFault(`${path}.issuer`, 'must be there and differ from that of the others');
    }
    const required = config.requiredClaims ?? [];
    const check = linkClaims({ issuer: name, audiences, required, skew });
    issuers.set(name, linkIssuer(issuer, path, check, context));
  }
  const only = issuers.size === 1 ? [...issuers.values()][0] : undefined;

  function verifyAnew(credential: Credential): Attempt | Promise<Attempt> {
    const token = readToken(credential.value, readHeader);
    if (typeof token === 'string') return invalid(token);
    // Chooses keys, no more: the claim iss of what they verify is checked with the others.
    const issuer = only ?? issuers.get(unverifiedIssuer(token));
    if (!issuer) return unknownIssuer;
    const verdict = verifyToken(token, issuer);
    if (verdict.kind === 'keys' && issuer.remote)
      return fetchFor(token, credential, issuer, verdict);
    return judge(credential, issuer, verdict);
  }

  /** No key fits: newer ones are worth a fetch only for tokens that may be of this issuer. */
  function fetchFor(token: Token, credential: Credential, issuer: Issuer, verdict: Verdict) {
    if (issuer.name !== undefined && unverifiedIssuer(token) !== issuer.name) return unknownIssuer;
    const fetched = issuer.remote?.keys.sooner(issuer.remote.timeout);
    if (!fetched) return judge(credential, issuer, verdict);
    return fetched.then(() => judge(credential, issuer, verifyToken(token, issuer)));
  }

  function judge(credential: Credential, issuer: Issuer, verdict: Verdict): Attempt {
    if (verdict.kind === 'good') {
      const identity = identityOf(context.name, verdict.claims);
      cache.put(credential.value, identity, expiryOf(verdict.claims, skew), issuer.source);
      return { kind: 'identified', identity, credential };
    }
    if (verdict.kind === 'bad' || issuer.source.keys) return invalid(verdict.reason);
    const reason = `the key set cannot be fetched: ${issuer.remote?.keys.fault ?? verdict.reason}`;
    return { kind: 'unavailable', reason };
  }

  return {
    name: context.name,
    challenge: 'Bearer',
    attempt(exchange: Exchange) {
      const credential = read(exchange);
      if (credential === undefined) return missing;
      if (credential === 'ambiguous') return ambiguous;
      const identity = cache.get(credential.value, Date.now());
      if (identity) return { kind: 'identified', identity, credential };
      return verifyAnew(credential);
    },
  };
};
