import { createHash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import type { ApiKeyMethod } from '@gatehouse/crds';
import { apiKeyOwnersOf, SecretSchema } from '@gatehouse/snapshot';
import { describe, expect, it } from 'vitest';
import { findingsOf, type TestObjects } from '../testing.ts';
import { checkApiKey } from './api-key.ts';

const path = 'spec.authentication[0].apiKey';
const check = (config: ApiKeyMethod, objects: TestObjects) =>
  findingsOf((context) => checkApiKey(config, path, context), objects);

const [a, b] = ['a'.repeat(16), 'b'.repeat(16)];
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const fromSecrets = (...names: string[]): ApiKeyMethod => ({
  secretRefs: names.map((name) => ({ name })),
});

describe('API keys', () => {
  it('go into the snapshot as hashes, with what is known of their owners', () => {
    const { mistakes, resources } = check(
      { ...fromSecrets('users'), consumers: true },
      {
        secrets: { users: { alice: `${a}\n` }, carol: { first: b, second: 'c'.repeat(40) } },
        consumers: {
          carol: {
            username: 'carol@example.com',
            plan: 'gold',
            roles: ['editor'],
            attributes: { team: 'blue' },
            apiKeys: [{ name: 'carol' }],
          },
          dave: {},
        },
      },
    );
    expect(mistakes).toEqual([]);
    const owners = (name: string) =>
      apiKeyOwnersOf(fromBinary(SecretSchema, resources.get(name)!.body).data);
    expect([...owners('api-keys/default/users')]).toEqual([
      [sha256(a), { id: 'alice', consumer: '', plan: '', roles: [], attributes: {} }],
    ]);
    const carol = {
      id: 'carol@example.com',
      consumer: 'carol',
      plan: 'gold',
      roles: ['editor'],
      attributes: { team: 'blue' },
    };
    expect(owners('api-keys/default/*')).toEqual(
      new Map([
        [sha256(b), carol],
        [sha256('c'.repeat(40)), carol],
      ]),
    );
    for (const { body } of resources.values()) {
      expect(Buffer.from(body).toString('latin1')).not.toMatch(/aaaaaaaa|bbbbbbbb|cccccccc/);
    }
  });

  it('make the same bytes whatever the order of entries', () => {
    const bytes = (users: Record<string, string>) =>
      [...check(fromSecrets('users'), { secrets: { users } }).resources.values()].map(({ hash }) =>
        Buffer.from(hash).toString('hex'),
      );
    expect(bytes({ x: a, y: b })).toEqual(bytes({ y: b, x: a }));
  });

  it.each<[string, ApiKeyMethod, TestObjects, string[]]>([
    [
      'short',
      fromSecrets('users'),
      { secrets: { users: { alice: 'a'.repeat(15) } } },
      [
        `${path}.secretRefs[0]: entry "alice" of Secret "default/users" is shorter than 16 bytes: make a longer key`,
      ],
    ],
    [
      'short without their line end',
      fromSecrets('users'),
      { secrets: { users: { alice: `${'a'.repeat(14)}\r\n` } } },
      [expect.stringContaining('shorter than 16 bytes') as never],
    ],
    [
      'long',
      fromSecrets('users'),
      { secrets: { users: { alice: 'a'.repeat(4097) } } },
      [expect.stringContaining('longer than 4096 bytes') as never],
    ],
    [
      'not for a header',
      fromSecrets('users'),
      { secrets: { users: { alice: `${a} ${b}`, bob: `${a}é` } } },
      [expect.stringContaining('"alice"') as never, expect.stringContaining('"bob"') as never],
    ],
    [
      'not there',
      fromSecrets('users'),
      { secrets: { users: {} } },
      [`${path}.secretRefs[0]: Secret "default/users" has no entries: add one a key`],
    ],
    [
      'shared in one Secret',
      fromSecrets('users'),
      { secrets: { users: { alice: a, bob: a } } },
      [
        `${path}.secretRefs[0]: entry "bob" of Secret "default/users" is the key of entry "alice" of Secret "default/users" too: give each its own`,
      ],
    ],
    [
      'shared with a Consumer',
      { ...fromSecrets('users'), consumers: true },
      {
        secrets: { users: { alice: a }, carol: { key: a } },
        consumers: { carol: { apiKeys: [{ name: 'carol' }] } },
      },
      [
        expect.stringMatching(
          /consumers: entry "key" of Secret "default\/carol" is the key of/,
        ) as never,
      ],
    ],
    [
      'the same of one user twice: fine',
      fromSecrets('users', 'more'),
      { secrets: { users: { alice: a }, more: { alice: a } } },
      [],
    ],
    [
      'of no Consumer',
      { consumers: true },
      { consumers: { dave: {} } },
      [
        expect.stringContaining(
          `${path}.consumers: no Consumer in namespace "default" has a key`,
        ) as never,
      ],
    ],
  ])('that are %s', (_, config, objects, mistakes) => {
    const found = check(config, objects);
    expect(found.mistakes).toEqual(mistakes);
    expect(found.broken).toEqual([]);
    expect(found.mistakes.join()).not.toMatch(/aaaaaaaa/);
  });

  it('in a Secret that is missing are references that lead nowhere', () => {
    const { mistakes, broken } = check(fromSecrets('lost'), {});
    expect([mistakes, broken]).toEqual([[], [`${path}.secretRefs[0]`]]);
  });
});
