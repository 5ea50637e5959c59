import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHtpasswd } from './htpasswd.ts';

const parse = (text: string) => parseHtpasswd(new TextEncoder().encode(text));
const bcrypt = (cost: string, version = 'y') => `$2${version}$${cost}$${'a'.repeat(53)}`;
const salt = Buffer.alloc(16, 1).toString('base64').replace(/=+$/, '');
const tag = Buffer.alloc(32, 2).toString('base64').replace(/=+$/, '');
const argon2 = (parameters: string, version = 'v=19') =>
  `$argon2id$${version}$${parameters}$${salt}$${tag}`;
const sha = (bytes: number) => Buffer.alloc(bytes, 3).toString('base64');

describe('a line of htpasswd', () => {
  it.each<[string, string, object]>([
    ['bcrypt as htpasswd writes it', bcrypt('05'), { scheme: 'bcrypt', text: bcrypt('05') }],
    ['bcrypt 2a', bcrypt('10', 'a'), { scheme: 'bcrypt' }],
    ['bcrypt 2b, the greatest cost', bcrypt('14', 'b'), { scheme: 'bcrypt' }],
    [
      'argon2id',
      argon2('m=65536,t=3,p=4'),
      {
        scheme: 'argon2id',
        memory: 65536,
        passes: 3,
        parallelism: 4,
        salt: Buffer.alloc(16, 1),
        tag: Buffer.alloc(32, 2),
      },
    ],
    [
      '{SHA}',
      `{SHA}${sha(20)}`,
      { scheme: 'sha1', digest: Buffer.alloc(20, 3), salt: Buffer.alloc(0) },
    ],
    ['{SSHA}', `{SSHA}${sha(28)}`, { scheme: 'sha1', salt: Buffer.alloc(8, 3) }],
  ])('may hold %s', (_, hash, expected) => {
    const { users, faults } = parse(`alice:${hash}`);
    expect(faults).toEqual([]);
    expect(users.get('alice')).toMatchObject(expected);
  });

  it.each<[string, string, RegExp]>([
    ['without a colon', 'alice', /is not "user:hash"/],
    ['without a user', `:${bcrypt('10')}`, /names no user/],
    ['with controls', `al\u0007ice:${bcrypt('10')}`, /control characters/],
    ['in the clear', 'alice:swordfish', /not supported/],
    ['with an empty hash', 'alice:', /not supported/],
    ['with crypt', 'alice:rl.3StKT.4T8M', /not supported/],
    ['with APR1 MD5', 'alice:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', /not supported/],
    ['with sha512-crypt', 'alice:$6$abc$def', /not supported/],
    ['with argon2i', `alice:${argon2('m=65536,t=3,p=4').replace('2id', '2i')}`, /not supported/],
    ['with bcrypt 2x', `alice:${bcrypt('10', 'x')}`, /not supported/],
    ['with bcrypt that is cut off', `alice:${bcrypt('10').slice(0, -1)}`, /cut off or damaged/],
    ['with bcrypt of no cost', `alice:${bcrypt('03')}`, /cost is not from 4 to 14/],
    ['with bcrypt that takes for ever', `alice:${bcrypt('31')}`, /cost is not from 4 to 14/],
    ['with argon2id of version 16', `alice:${argon2('m=65536,t=3,p=4', 'v=16')}`, /version 19/],
    ['with argon2id without memory', `alice:${argon2('m=8,t=3,p=4')}`, /RFC 9106/],
    ['with argon2id without passes', `alice:${argon2('m=65536,t=0,p=4')}`, /RFC 9106/],
    ['with argon2id that fills memory', `alice:${argon2('m=4194304,t=1,p=4')}`, /costs too much/],
    ['with argon2id that takes for ever', `alice:${argon2('m=65536,t=9,p=4')}`, /costs too much/],
    ['with SHA that is too short', `alice:{SHA}${sha(19)}`, /damaged/],
    ['with SHA in hex', `alice:{SHA}${'a'.repeat(40)}`, /damaged/],
    ['with SSHA without salt', `alice:{SSHA}${sha(20)}`, /damaged/],
  ])('%s is a mistake', (_, line, reason) => {
    const { users, faults } = parse(`bob:${bcrypt('10')}\n${line}\n`);
    expect(faults).toEqual([{ line: 2, reason: expect.stringMatching(reason) }]);
    expect([...users.keys()]).toEqual(['bob']);
    expect(faults[0]!.reason).not.toMatch(/swordfish|aaaa/);
  });

  it('may not name the user of another line', () => {
    expect(parse(`a:${bcrypt('10')}\n\na:${bcrypt('11')}`).faults).toEqual([
      { line: 3, reason: 'names a user that another line names' },
    ]);
  });
});

it('reads any bytes without throwing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { users, faults } = parseHtpasswd(bytes);
      expect(users.size + faults.length).toBeGreaterThan(0);
    }),
  );
});
