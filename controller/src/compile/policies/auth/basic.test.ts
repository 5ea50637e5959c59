import { expect, it } from 'vitest';
import { findingsOf } from '../testing.ts';
import { checkBasic } from './basic.ts';

const path = 'spec.authentication[0].basic';
const check = (secrets: Record<string, Record<string, string | Uint8Array>>, key?: string) =>
  findingsOf(
    (context) =>
      checkBasic({ secretRef: { name: 'users', ...(key ? { key } : {}) } }, path, context),
    { secrets },
  );

const salted = `{SSHA}${Buffer.alloc(24, 7).toString('base64')}`;

it('takes a good file, and sends it by the name of its entry', () => {
  const auth = `# people\n\nalice:${salted}\r\n`;
  const { mistakes, broken, resources } = check({ users: { auth } });
  expect([mistakes, broken]).toEqual([[], []]);
  expect([...resources.keys()]).toEqual(['policy/default/users/auth']);
  expect([...check({ users: { other: auth } }, 'other').resources.keys()]).toEqual([
    'policy/default/users/other',
  ]);
});

it.each<[string, string | Uint8Array, string[]]>([
  [
    'a password in the clear',
    `alice:${salted}\nbob:swordfish\n`,
    [
      `${path}.secretRef: line 2 of entry "auth" of Secret "default/users" has a password of a format that is not supported: use bcrypt ("htpasswd -B"), argon2id, {SSHA} or {SHA}`,
    ],
  ],
  [
    'no users',
    '# nobody\n',
    [`${path}.secretRef: entry "auth" of Secret "default/users" names no user`],
  ],
  [
    'other bytes than UTF-8',
    new Uint8Array([0x61, 0x3a, 0xff]),
    [`${path}.secretRef: entry "auth" of Secret "default/users" is not UTF-8`],
  ],
])('reports %s', (_, auth, mistakes) => {
  const found = check({ users: { auth } });
  expect(found.mistakes).toEqual(mistakes);
  expect(found.mistakes.join()).not.toContain('swordfish');
});

it('reports many mistakes shortly', () => {
  const auth = Array.from({ length: 25 }, (_, i) => `user${i}:secret${i}`).join('\n');
  const { mistakes } = check({ users: { auth } });
  expect(mistakes).toHaveLength(11);
  expect(mistakes.at(-1)).toContain('15 further lines');
});

it('leaves it to the context to tell of what is missing', () => {
  expect(check({})).toMatchObject({ mistakes: [], broken: [`${path}.secretRef.name`] });
  expect(check({ users: {} })).toMatchObject({ mistakes: [], broken: [`${path}.secretRef.key`] });
});
