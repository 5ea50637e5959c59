import { readKeySet } from '@gatehouse/crds';
import fc from 'fast-check';
import { createLocalJWKSet, errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linkClaims } from './claims.ts';
import { createHeaderReader } from './header.ts';
import type { Issuer } from './issuer.ts';
import {
  base64url,
  goodClaims,
  inline,
  issuer,
  nowInSeconds,
  pairs,
  signerOf,
  tokenOf,
} from './testing.ts';
import { readToken } from './token.ts';
import { verifyToken } from './verify.ts';

const options: JWTVerifyOptions = { issuer, audience: ['api'], clockTolerance: 30 };
const theirKeys = createLocalJWKSet(JSON.parse(inline));
const readHeader = createHeaderReader();
const ours: Issuer = {
  name: issuer,
  source: { keys: readKeySet(inline) },
  remote: undefined,
  anyKid: false,
  accepts: () => true,
  check: linkClaims({ issuer, audiences: ['api'], required: [], skew: 30 }),
};

function weAccept(token: string): boolean {
  const read = readToken(token, readHeader);
  return typeof read !== 'string' && verifyToken(read, ours).kind === 'good';
}

async function joseAccepts(token: string): Promise<boolean> {
  try {
    await jwtVerify(token, theirKeys, options);
    return true;
  } catch (error) {
    // TypeErrors are refusals as well: a key that does not go with the algorithm.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return false;
    throw error;
  }
}

const algorithms = ['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA', 'HS256'] as const;
const pairOf = { RS256: 'rsa', PS384: 'rsa', ES256: 'ec', ES512: 'ec521', EdDSA: 'ed' } as const;
const rarely = <T>(usual: T, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
/** Anything but times beyond the year 9999, which jose takes and we do not. */
const odd = fc
  .oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant(undefined))
  .filter((value) => typeof value !== 'number' || Math.abs(value) < 1e11);

/** Tokens with a few things wrong, or nothing. */
const token = fc
  .record({
    signedAs: fc.constantFrom(...algorithms),
    alg: rarely<unknown>('same', fc.constantFrom(...algorithms, 'none', 'rs256', undefined, 1)),
    kid: rarely<unknown>('same', fc.oneof(fc.constantFrom('rsa', 'ec', 'ed', 'x'), odd)),
    more: rarely<object>(
      {},
      fc.constantFrom({ typ: 'JWT' }, { crit: ['b64'], b64: false }, { crit: ['x'] }, { jwk: {} }),
    ),
    iss: rarely<unknown>(issuer, odd),
    aud: rarely<unknown>('api', fc.oneof(odd, fc.constantFrom<unknown>(['api'], ['a', 'api'], []))),
    exp: rarely<unknown>(600, fc.oneof(odd, fc.integer({ min: -90, max: 90 }))),
    nbf: rarely<unknown>(-1, fc.oneof(odd, fc.integer({ min: -90, max: 90 }))),
    damage: rarely<string>('', fc.constantFrom('signature', 'payload', 'cut', 'longer')),
  })
  .map(({ signedAs, alg, kid, more, iss, aud, exp, nbf, damage }) => {
    const pair = signedAs === 'HS256' ? 'rsa' : pairOf[signedAs];
    const key = signedAs === 'HS256' ? 'secret' : pairs[pair].privateKey;
    const at = (time: unknown) => (Number.isInteger(time) ? nowInSeconds() + Number(time) : time);
    const header = {
      alg: alg === 'same' ? signedAs : alg,
      kid: kid === 'same' ? pair : kid,
      ...more,
    };
    const claims = { ...goodClaims(), iss, aud, exp: at(exp), nbf: at(nbf) };
    const text = tokenOf(header, claims, signerOf(signedAs, key));
    const [first, second, third = ''] = text.split('.');
    if (damage === 'signature')
      return `${first}.${second}.${base64url('x').concat(third.slice(2))}`;
    if (damage === 'payload') return `${first}.${base64url({ ...claims, sub: 'root' })}.${third}`;
    if (damage === 'cut') return `${first}.${second}`;
    return damage === 'longer' ? `${text}AAAA` : text;
  });

// Both sides look at the same clock.
beforeAll(() => vi.useFakeTimers({ toFake: ['Date'] }));
afterAll(() => vi.useRealTimers());

describe('jose', () => {
  it('accepts what we accept, and we what it accepts', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        const theirs = await joseAccepts(text);
        // Several keys fit a token without kid: there jose leaves the choice to its caller.
        const kidless = readToken(text, readHeader);
        if (typeof kidless !== 'string' && kidless.kid === '') return;
        expect([text, weAccept(text)]).toEqual([text, theirs]);
        if (theirs) accepted++;
      }),
      { numRuns: 600 },
    );
    expect(accepted).toBeGreaterThan(30);
  });
});
