import { expect, test } from 'vitest';
import { createFolder, forwardRoute, respondRoute } from './testing/folder.ts';
import { startGatehouse } from './testing/gatehouse.ts';

async function check(files: Record<string, string>) {
  await using folder = await createFolder(files);
  await using gatehouse = startGatehouse(['check', folder.path]);
  const code = await gatehouse.exited;
  return { code, lines: gatehouse.stdout().trimEnd().split('\n'), stderr: gatehouse.stderr() };
}

const good = respondRoute('good', '/good', 'good');

test.concurrent.each<{ name: string; files: Record<string, string>; last: string }>([
  { name: 'no file', files: {}, last: '0 resources, no mistakes' },
  { name: 'one good file', files: { 'a.yaml': good }, last: '1 resource, no mistakes' },
  {
    name: 'objects in several files, and files of others',
    files: { 'a.yaml': good, 'b.yaml': forwardRoute('b', '/b', 1), 'README.md': '# not YAML: [' },
    last: '3 resources, no mistakes',
  },
])('$name ends with code 0', async ({ files, last }) => {
  expect(await check(files)).toEqual({ code: 0, lines: [last], stderr: '' });
});

test.concurrent.each<{ name: string; text: string; mistake: RegExp }>([
  {
    name: 'a syntax error',
    text: 'kind: [Route\n',
    mistake: /^bad\.yaml:\d+:\d+: /,
  },
  {
    name: 'a wrong type',
    text: respondRoute('bad', '/bad', 'bad').replace('200', '"two hundred"'),
    mistake: /^bad\.yaml:8:18: spec\.rules\[0\]\.respond\.status: .*"two hundred"/,
  },
  {
    name: 'an unknown field',
    text: respondRoute('bad', '/bad', 'bad').replace('matches:', 'match:'),
    mistake: /^bad\.yaml:7:7: spec\.rules\[0\]\.match: .*matches/,
  },
  {
    name: 'an unknown kind',
    text: respondRoute('bad', '/bad', 'bad').replace('kind: Route', 'kind: Rout'),
    mistake: /^bad\.yaml:2:1: kind: .*did you mean "Route"\?/,
  },
  {
    name: 'a name that is taken',
    text: respondRoute('good', '/bad', 'bad'),
    mistake: /^good\.yaml:\d+:\d+: metadata\.name: .*bad\.yaml/,
  },
  {
    name: 'a reference to nothing',
    text: forwardRoute('bad', '/bad', 1).split('---')[0] ?? '',
    mistake: /^Route default\/bad: .*spec\.rules\[0\]\.backends\[0\].*default\/bad/,
  },
  {
    name: 'a regular expression that no linear-time engine takes',
    text: respondRoute('bad', '(/a)\\1', 'bad').replace('Prefix', 'Regex'),
    mistake: /^Route default\/bad: .*spec\.rules\[0\]\.matches\[0\]\.path\.value/,
  },
])('$name is told with its place and ends with code 1', async ({ text, mistake }) => {
  const { code, lines } = await check({ 'good.yaml': good, 'bad.yaml': text });
  expect(
    lines.filter((line) => mistake.test(line)),
    lines.join('\n'),
  ).toHaveLength(1);
  expect(lines.at(-1)).toMatch(/^\d+ resources?, 1 mistake$/);
  expect(code).toBe(1);
});

test('all mistakes are told at once', async () => {
  const { code, lines } = await check({
    'a.yaml': respondRoute('a', '/a', 'a').replace('200', '99'),
    'b.yaml': `${respondRoute('b', 'b', 'b')}---\n${respondRoute('C', '/c', 'c')}`,
  });
  expect(code).toBe(1);
  expect(lines.map((line) => line.replace(/:\d+:\d+: .*/, ''))).toEqual([
    'a.yaml',
    'b.yaml',
    'b.yaml',
    '0 resources, 3 mistakes',
  ]);
});

test('a folder that is not there ends with code 1', async () => {
  await using gatehouse = startGatehouse(['check', '/nowhere/at-all']);
  expect(await gatehouse.exited).toBe(1);
  expect(gatehouse.stdout()).toContain('Cannot read folder "/nowhere/at-all"');
});

test.each([[[]], [['a', 'b']]])('check %j prints the usage', async (args) => {
  await using gatehouse = startGatehouse(['check', ...args]);
  expect(await gatehouse.exited).toBe(1);
  expect(gatehouse.stderr()).toMatch(/^Usage:/);
});
