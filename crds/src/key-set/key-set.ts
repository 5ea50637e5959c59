import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import { algorithmsOf, isJwtAlgorithm, type JwtAlgorithm } from './algorithms.ts';
import { jsonFault } from './json-shape.ts';

/** A public key that signatures are verified with. */
export type VerificationKey = {
  /** '' when it has none. */
  kid: string;
  /** What it may be used for: never more than its type allows (RFC 8725 section 3.1). */
  algorithms: readonly JwtAlgorithm[];
  key: KeyObject;
};

export type KeySet = {
  keys: readonly VerificationKey[];
  /** Keys by kid; those without one under ''. */
  byKid: ReadonlyMap<string, readonly VerificationKey[]>;
  /** Why keys, or with path '' the whole text, cannot be used. Never empty when `keys` is. */
  faults: readonly KeyFault[];
};

/** `path` is relative to the set, e.g. "keys[0].n". */
export type KeyFault = { path: string; reason: string };

/** Keys that one set may hold: more are no rotation, and whoever has no kid makes us try them. */
const mostKeys = 256;
const rsaBits = { least: 2048, most: 8192 };
const base64url = /^[A-Za-z0-9_-]+$/;
/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const pointMembers: Record<string, string[]> = { RSA: ['n', 'e'], EC: ['x', 'y'], OKP: ['x'] };

/**
 * Reads a JSON Web Key Set (RFC 7517). Keys that are for something else, or of a type that is not known,
 * are left out (section 5); bad ones are faults. Certificates and URLs in keys are not looked at.
 */
export function readKeySet(text: string): KeySet {
  const items = itemsOf(text);
  if (typeof items === 'string') return keySet([], [{ path: '', reason: items }]);
  const keys: VerificationKey[] = [];
  const faults: KeyFault[] = [];
  for (const [index, item] of items.entries()) {
    const read = readKey(item);
    if (read === undefined) continue;
    if ('reason' in read) faults.push({ path: `keys[${index}]${read.path}`, reason: read.reason });
    else keys.push(read);
  }
  if (keys.length === 0 && faults.length === 0) {
    faults.push({ path: 'keys', reason: 'holds no key that signatures can be verified with' });
  }
  return keySet(keys, faults);
}

function keySet(keys: readonly VerificationKey[], faults: readonly KeyFault[]): KeySet {
  return { keys, faults, byKid: Map.groupBy(keys, ({ kid }) => kid) };
}

/** The keys as they stand in the text, or why it is no key set. */
function itemsOf(text: string): unknown[] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return text.trimStart().startsWith('<')
      ? 'is HTML or XML, not a JSON Web Key Set'
      : 'is not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('keys' in value)) {
    return 'is not a JSON Web Key Set: an object with a list "keys" (RFC 7517)';
  }
  const { keys } = value;
  if (!Array.isArray(keys)) return 'has no list "keys" (RFC 7517)';
  if (keys.length > mostKeys) return `holds more than ${mostKeys} keys`;
  return jsonFault(text, value) ?? keys;
}

/** Undefined: the key is not for us. */
function readKey(item: unknown): VerificationKey | KeyFault | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    return { path: '', reason: 'is not an object' };
  }
  const jwk = item as Record<string, unknown>;
  const { kty, crv, use, alg, kid = '', key_ops: operations } = jwk;
  if (typeof kty !== 'string') return { path: '.kty', reason: 'is missing' };
  if (kty === 'oct') {
    return { path: '', reason: 'is a symmetric key: give it by secretRef, in a Secret' };
  }
  if (privateMembers.some((member) => member in jwk)) {
    return {
      path: '',
      reason: 'is a private key: publish the public key only, and make a new pair',
    };
  }
  if (use !== undefined && use !== 'sig') return undefined;
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined;
  if (typeof kid !== 'string') return { path: '.kid', reason: 'is not a string' };
  const fitting = algorithmsOf(kty, kty === 'RSA' ? undefined : String(crv));
  if (fitting.length === 0) return undefined;
  if (alg !== undefined && !isJwtAlgorithm(alg)) return undefined;
  if (alg !== undefined && !fitting.includes(alg)) {
    return { path: '.alg', reason: `${alg} does not go with a key of type ${kty}` };
  }
  for (const member of pointMembers[kty] ?? []) {
    const value = jwk[member];
    if (typeof value === 'string' && base64url.test(value)) continue;
    return { path: `.${member}`, reason: 'is not base64url' };
  }
  const key = publicKeyOf(jwk as JsonWebKeyInput['key']);
  if (!key) return { path: '', reason: `is not a valid ${kty} key` };
  const reason = weakness(key);
  if (reason !== undefined) return { path: '', reason };
  return { kid, key, algorithms: alg === undefined ? fitting : [alg] };
}

function publicKeyOf(key: JsonWebKeyInput['key']): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    // Whatever the library does not take, a point beside its curve for instance, is no key.
    return undefined;
  }
}

function weakness({ asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  const { modulusLength: bits, publicExponent: exponent } = asymmetricKeyDetails;
  if (bits === undefined || exponent === undefined) return undefined;
  if (bits < rsaBits.least) {
    return `is an RSA key of ${bits} bits: at least ${rsaBits.least} are needed (RFC 7518 section 3.3)`;
  }
  if (bits > rsaBits.most)
    return `is an RSA key of ${bits} bits: at most ${rsaBits.most} are taken`;
  return exponent < 3n || exponent % 2n === 0n
    ? 'has an RSA exponent that is even or less than 3'
    : undefined;
}
