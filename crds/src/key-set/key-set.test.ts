import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFault } from './json-shape.ts';
import { readKeySet } from './key-set.ts';

const rsa = (bits = 2048) =>
  generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });
const strong = rsa();
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ec = pair.publicKey.export({ format: 'jwk' });
const ed = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const setOf = (...keys: unknown[]) => JSON.stringify({ keys });
const faults = (text: string) =>
  readKeySet(text).faults.map(({ path, reason }) => `${path} ${reason}`);

describe('a key set', () => {
  it('gives each key the algorithms of its type, and no other', () => {
    const { keys, faults } = readKeySet(
      setOf({ ...strong, kid: 'r' }, { ...strong, alg: 'PS384' }, { ...ec, use: 'sig' }, ed),
    );
    expect(faults).toEqual([]);
    expect(keys.map(({ kid, algorithms }) => [kid, algorithms.join()])).toEqual([
      ['r', 'RS256,RS384,RS512,PS256,PS384,PS512'],
      ['', 'PS384'],
      ['', 'ES256'],
      ['', 'EdDSA'],
    ]);
    expect(
      keys[2]!.key.equals(createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }))),
    ).toBe(true);
  });

  it('keeps keys of one kid apart by type', () => {
    const { byKid } = readKeySet(setOf({ ...strong, kid: 'k' }, { ...ec, kid: 'k' }));
    expect(byKid.get('k')).toHaveLength(2);
  });

  it.each<[string, object]>([
    ['for encryption', { ...strong, use: 'enc' }],
    ['of another algorithm', { ...strong, alg: 'RSA-OAEP-256' }],
    ['for wrapping', { ...strong, key_ops: ['wrapKey'] }],
    ['of a type from the future', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' }],
    ['of another curve', { ...ec, crv: 'secp256k1' }],
  ])('leaves out a key %s', (_, other) => {
    const { keys, faults } = readKeySet(setOf(other, { ...ec, kid: 'good' }));
    expect([keys.map(({ kid }) => kid), faults]).toEqual([['good'], []]);
    expect(readKeySet(setOf(other)).faults).toEqual([
      { path: 'keys', reason: 'holds no key that signatures can be verified with' },
    ]);
  });

  it.each<[string, string, RegExp]>([
    ['HTML', '<!doctype html><title>Login</title>', /^ is HTML/],
    ['broken JSON', '{"keys":[', /^ is not JSON/],
    ['nothing', '', /^ is not JSON/],
    ['a list', '[]', /^ is not a JSON Web Key Set/],
    ['null', 'null', /^ is not a JSON Web Key Set/],
    ['no list of keys', '{"keys":{}}', /^ has no list "keys"/],
    ['no keys', '{"keys":[]}', /^keys holds no key/],
    ['two lists of keys', `{"keys":[],${setOf(ec).slice(1)}`, /^ names a member twice/],
    ['too many keys', setOf(...Array(257).fill(ec)), /^ holds more than 256 keys/],
    ['deep JSON', `{"keys":[${'['.repeat(99)}${']'.repeat(99)}]}`, /^ is nested more than 32/],
    ['a text for a key', setOf('key'), /^keys\[0\] is not an object/],
    ['a key without type', setOf({ x: 'AA' }), /^keys\[0\].kty is missing/],
    [
      'a symmetric key',
      setOf({ kty: 'oct', k: 'AA' }),
      /^keys\[0\] is a symmetric key: .*secretRef/,
    ],
    [
      'a private key',
      setOf(pair.privateKey.export({ format: 'jwk' })),
      /^keys\[0\] is a private key/,
    ],
    [
      'an RSA key of 512 bits',
      setOf(rsa(512)),
      /^keys\[0\] is an RSA key of 512 bits: at least 2048/,
    ],
    ['an RSA key of 1024 bits', setOf(rsa(1024)), /^keys\[0\] is an RSA key of 1024 bits/],
    ['an RSA exponent of 1', setOf({ ...strong, e: 'AQ' }), /^keys\[0\]/],
    [
      'an algorithm of another type',
      setOf({ ...strong, alg: 'HS256' }),
      /^keys\[0\].alg HS256 does not go with/,
    ],
    ['a point beside the curve', setOf({ ...ec, y: ec.x }), /^keys\[0\] is not a valid EC key/],
    ['standard base64', setOf({ ...ec, x: `${ec.x}=` }), /^keys\[0\].x is not base64url/],
    ['a kid that is a number', setOf({ ...ec, kid: 7 }), /^keys\[0\].kid is not a string/],
  ])('refuses %s', (_, text, reason) => {
    const read = readKeySet(text);
    expect(read.keys).toEqual([]);
    expect(faults(text)).toEqual([expect.stringMatching(reason)]);
  });

  it('keeps good keys beside bad ones', () => {
    const { keys, faults } = readKeySet(setOf(rsa(1024), { ...ec, kid: 'good' }));
    expect(keys.map(({ kid }) => kid)).toEqual(['good']);
    expect(faults).toHaveLength(1);
  });

  it('is read or refused, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const { keys, faults } = readKeySet(text);
        expect(keys.length + faults.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('repeated member names', () => {
  it.each([
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"a":{"b":1,"b":1}}', true],
    ['[{"a":1},{"a":[{"x":1,"x":{}}]}]', true],
    ['{"__proto__":1,"__proto__":2}', true],
    ['{"a":"{\\"a\\":1, \\"a\\":2}","b":"\\\\"}', false],
    ['{"a":1,"A":2,"__proto__":{"a":":"},"":[":",{}]}', false],
    ['"a:b"', false],
    ['7', false],
  ])('%s: %s', (text, twice) => {
    expect(jsonFault(text, JSON.parse(text)) !== undefined).toBe(twice);
  });

  it('are not found where JSON has been written from a value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.boolean(), (value, indented) => {
        const text = JSON.stringify(value, null, indented ? 2 : 0);
        expect(jsonFault(text, JSON.parse(text))).toBeUndefined();
      }),
    );
  });

  it('are found wherever one is added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
        const text = JSON.stringify(value);
        const doubled = `${text.slice(0, -1)},${text.slice(1)}`;
        expect(jsonFault(doubled, JSON.parse(doubled))).toBe('names a member twice');
      }),
    );
  });
});
