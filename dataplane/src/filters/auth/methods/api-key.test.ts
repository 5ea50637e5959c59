import { createHash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { type ApiKeyOwner, apiKeysName, apiKeysResource, SecretSchema } from '@gatehouse/snapshot';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';

let guarded: GuardedBackend;

beforeAll(async () => {
  guarded = await startGuardedBackend();
});
afterAll(() => guarded.close());

const key = 'k'.repeat(20);
const nobody: ApiKeyOwner = { id: '', consumer: '', plan: '', roles: [], attributes: {} };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The Secret resource of a source, as the controller makes it, with owners by key. */
function keysOf(source: string, owners: Record<string, Partial<ApiKeyOwner>>) {
  const name = apiKeysName('default', source);
  const hashed = Object.entries(owners).map(([key, owner]): [string, ApiKeyOwner] => {
    return [sha256(key), { ...nobody, ...owner }];
  });
  const { data } = fromBinary(SecretSchema, apiKeysResource(name, new Map(hashed)).body);
  const text = Object.entries(data).map(([entry, bytes]) => [entry, Buffer.from(bytes).toString()]);
  return { [name]: Object.fromEntries(text) };
}

const entries = {
  ...keysOf('users', { [key]: { id: 'alice' }, ['m'.repeat(16)]: { id: 'mallory' } }),
  ...keysOf('*', {
    ['c'.repeat(16)]: {
      id: 'carol@example.com',
      consumer: 'carol',
      plan: 'gold',
      roles: ['editor', 'viewer'],
      attributes: { team: 'blue' },
    },
  }),
};
const apiKey = { secretRefs: [{ name: 'users' }] };

describe('an API key', () => {
  it('lets its user through', async () => {
    await guarded.guard([{ name: 'keys', apiKey }], { entries });
    const answer = await guarded.ask(`X-API-Key: ${key}\r\n`);
    expect(answer.status).toBe(200);
    expect(answer.sent('x-user-id')).toEqual(['alice']);
    expect(answer.sent('x-user-role')).toEqual([]);
    expect(answer.sent('x-api-key')).toEqual([key]);
  });

  it('of a Consumer brings plan, roles and attributes', async () => {
    await guarded.guard([{ name: 'keys', apiKey: { consumers: true } }], {
      entries,
      identity: {
        defaultHeaders: true,
        headers: [
          { name: 'X-Plan', expression: 'identity.plan' },
          { name: 'X-Consumer', expression: 'identity.consumer' },
          { name: 'X-Team', expression: 'claims.team' },
        ],
      },
    });
    const answer = await guarded.ask(`X-API-Key: ${'c'.repeat(16)}\r\n`);
    const names = ['x-user-id', 'x-user-role', 'x-plan', 'x-consumer', 'x-team'];
    expect(names.map((name) => answer.sent(name))).toEqual([
      ['carol@example.com'],
      ['editor,viewer'],
      ['gold'],
      ['carol'],
      ['blue'],
    ]);
    expect((await guarded.ask(`X-API-Key: ${key}\r\n`)).status).toBe(401);
  });

  it.each<[string, string, string, string]>([
    ['none', '', 'Missing authentication token', 'no credential'],
    ['an empty one', 'X-API-Key: \r\n', 'Missing authentication token', 'no credential'],
    ['an unknown one', `X-API-Key: ${'x'.repeat(20)}\r\n`, 'Invalid token', 'the key is not known'],
    ['a longer one', `X-API-Key: ${key}k\r\n`, 'Invalid token', 'the key is not known'],
    ['a shorter one', `X-API-Key: ${key.slice(1)}\r\n`, 'Invalid token', 'the key is not known'],
    ['its hash', `X-API-Key: ${sha256(key)}\r\n`, 'Invalid token', 'the key is not known'],
    [
      'other letters',
      `X-API-Key: ${key.toUpperCase()}\r\n`,
      'Invalid token',
      'the key is not known',
    ],
    ['bytes beyond ASCII', `X-API-Key: ${key}\xe9\r\n`, 'Invalid token', 'the key is not known'],
    ['a giant one', `X-API-Key: ${'k'.repeat(8000)}\r\n`, 'Invalid token', 'the key is not known'],
    ['two', `X-API-Key: ${key}\r\nX-Api-Key: ${key}\r\n`, 'Invalid token', 'the key is sent twice'],
    [
      'one in another place',
      `Authorization: ${key}\r\n`,
      'Missing authentication token',
      'no credential',
    ],
  ])('that is %s gets 401', async (_, lines, error, reason) => {
    await guarded.guard([{ name: 'keys', apiKey }], { entries });
    const answer = await guarded.ask(lines);
    expect([answer.status, answer.body]).toEqual([401, JSON.stringify({ error })]);
    expect(answer.values('www-authenticate')).toEqual(['ApiKey']);
    expect(answer.target).toBeUndefined();
    expect(guarded.gateway.denials.at(-1)?.reason).toBe(reason);
    expect(JSON.stringify(guarded.gateway.denials)).not.toContain('kkkkkkkk');
    expect(guarded.gateway.metrics()).not.toContain('kkkkkkkk');
  });

  it.each<[string, object, string, string, string]>([
    [
      'a scheme',
      { header: 'Authorization', scheme: 'Key' },
      `Authorization: key ${key}\r\n`,
      '/',
      'Key',
    ],
    ['a cookie', { cookie: 'k' }, `Cookie: a=1; k=${key}\r\n`, '/', 'ApiKey'],
    ['the query', { query: 'key' }, '', `/?a=1&key=${key}`, 'ApiKey'],
  ])(
    'is found in %s, and stripped where that is wished',
    async (_, place, lines, target, scheme) => {
      await guarded.guard([{ name: 'keys', apiKey: { ...apiKey, from: [place] } }], {
        entries,
        identity: { defaultHeaders: true, token: 'Strip' },
      });
      const good = await guarded.ask(lines, target);
      expect(good.status).toBe(200);
      expect(good.sent('x-user-id')).toEqual(['alice']);
      expect(guarded.backend.requests.at(-1)!.raw).not.toContain(key);
      const bad = await guarded.ask();
      expect([bad.status, bad.values('www-authenticate')]).toEqual([401, [scheme]]);
    },
  );

  it('that nobody has never gets through', async () => {
    await guarded.guard([{ name: 'keys', apiKey }], { entries });
    const letters = fc.stringMatching(/^[\x21-\x7e]{0,40}$/).filter((text) => !(text in entries));
    await fc.assert(
      fc.asyncProperty(letters, async (text) => {
        expect((await guarded.ask(`X-API-Key: ${text}\r\n`)).status).toBe(401);
      }),
      { numRuns: 50, examples: [['__proto__'], ['constructor'], ['toString']] },
    );
  });
});

describe('API keys', () => {
  const swap = (owners: Record<string, Partial<ApiKeyOwner>>) =>
    guarded.guard([{ name: 'keys', apiKey }], { entries: keysOf('users', owners) });

  it('follow their Secret', async () => {
    await swap({ [key]: { id: 'alice' } });
    expect((await guarded.ask(`X-API-Key: ${key}\r\n`)).status).toBe(200);
    await swap({ ['n'.repeat(20)]: { id: 'alice' } });
    expect((await guarded.ask(`X-API-Key: ${key}\r\n`)).status).toBe(401);
    expect((await guarded.ask(`X-API-Key: ${'n'.repeat(20)}\r\n`)).status).toBe(200);
  });

  it.each<[string, Record<string, Record<string, string>>, RegExp]>([
    ['that are missing', {}, /secretRefs.*not in the snapshot/],
    ['that are no JSON', { 'api-keys/default/users': { 'keys.json': '{' } }, /secretRefs/],
    ['that are a list', { 'api-keys/default/users': { 'keys.json': '[]' } }, /no object/],
    [
      'in the clear',
      { 'api-keys/default/users': { 'keys.json': JSON.stringify({ [key]: nobody }) } },
      /no owner by SHA-256/,
    ],
    [
      'of nobody',
      { 'api-keys/default/users': { 'keys.json': JSON.stringify({ [sha256(key)]: {} }) } },
      /no owner by SHA-256/,
    ],
  ])('%s are refused', async (_, broken, reason) => {
    await expect(guarded.guard([{ name: 'keys', apiKey }], { entries: broken })).rejects.toThrow(
      reason,
    );
  });
});
