import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTokens, type TokenLot } from './tokens.ts';

const count = 20;
let folder: string;
let lot: TokenLot;
let tokens: string[];
let pem: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-tokens-'));
  lot = await makeTokens(count, folder);
  tokens = (await readFile(lot.file, 'utf8')).trimEnd().split('\n');
  pem = await readFile(lot.publicKeyFile, 'utf8');
});
afterAll(() => rm(folder, { recursive: true }));

function part(token: string, index: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());
}

function isGood(token: string): boolean {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const signed = verify('RSA-SHA256', Buffer.from(token.slice(0, end)), pem, signature);
  return signed && Number(part(token, 1).exp) > Date.now() / 1000;
}

test('all tokens are good, and no two are alike', () => {
  expect(tokens).toHaveLength(count);
  expect(new Set([...tokens, lot.spare]).size).toBe(count + 1);
  for (const token of [...tokens, lot.spare]) expect(isGood(token)).toBe(true);
});

test('the key set has the key that tokens name, and nothing private', () => {
  const { keys } = JSON.parse(lot.jwks);
  expect(keys).toHaveLength(1);
  expect(keys[0]).toMatchObject({ kty: 'RSA', alg: 'RS256', kid: part(lot.spare, 0).kid });
  expect(keys[0].d).toBeUndefined();
  const key = createPublicKey({ key: keys[0], format: 'jwk' });
  expect(key.export({ type: 'spki', format: 'pem' })).toBe(pem);
  expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
});

test('no forgery is good', () => {
  expect(lot.forgeries.size).toBeGreaterThanOrEqual(6);
  for (const [fault, token] of lot.forgeries)
    expect([fault, isGood(token)]).toEqual([fault, false]);
});

test('forgeries that are only out of date or confused are as good as can be otherwise', () => {
  const expired = lot.forgeries.get('that has expired') ?? '';
  expect(part(expired, 0)).toEqual(part(lot.spare, 0));
  expect(part(lot.forgeries.get('without a signature') ?? '', 0).alg).toBe('none');
  expect(part(lot.forgeries.get('signed by HMAC with the public key') ?? '', 0).alg).toBe('HS256');
});
