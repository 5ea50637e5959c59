import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFolder, respondRoute, type TestFolder } from './testing/folder.ts';
import { freePort } from './testing/free-port.ts';
import { startGatehouse } from './testing/gatehouse.ts';

let folder: TestFolder;
let owner: Server;
let taken: number;

beforeAll(async () => {
  folder = await createFolder({ 'a.yaml': respondRoute('a', '/', 'a') });
  taken = await freePort();
  owner = createServer();
  await new Promise<void>((resolve) => owner.listen(taken, '127.0.0.1', resolve));
});

afterAll(async () => {
  owner.close();
  await folder[Symbol.asyncDispose]();
});

test.concurrent.each<{ name: string; args: () => Promise<string[]> | string[]; says: RegExp }>([
  {
    name: 'no folder',
    args: () => ['dev'],
    says: /^Usage:/,
  },
  {
    name: 'two folders',
    args: () => ['dev', folder.path, folder.path],
    says: /^Usage:/,
  },
  {
    name: 'a folder that is not there',
    args: () => ['dev', `${folder.path}/nowhere`],
    says: /^Cannot run ".*\/nowhere": there is no such folder\n$/,
  },
  {
    name: 'a file',
    args: () => ['dev', `${folder.path}/a.yaml`],
    says: /^Cannot run ".*\/a\.yaml": it is not a readable folder\n$/,
  },
  {
    name: 'an unknown flag',
    args: () => ['dev', folder.path, '--speed', 'high'],
    says: /^Unknown option '--speed'\nUsage:/,
  },
  {
    name: 'an unknown command',
    args: () => ['fly', folder.path],
    says: /^Unknown command "fly"\nUsage:/,
  },
  ...[
    ['--http-port', '0'],
    ['--http-port', '65536'],
    ['--admin-port', 'x'],
    ['--admin-port', '-1'],
    ['--workers', '0'],
    ['--data-planes', '1.5'],
  ].map(([flag = '', value]) => ({
    name: `${flag}=${value}`,
    args: () => ['dev', folder.path, `${flag}=${value}`],
    says: new RegExp(`^Cannot use ${flag} "${value}": expected \\d+ to \\d+\\n$`),
  })),
  {
    name: 'an HTTP port in use',
    args: () => ['dev', folder.path, '--http-port', String(taken), '--admin-port', '0'],
    says: /^Cannot run: cannot listen on 127\.0\.0\.1:\d+: the port is in use\n$/,
  },
  {
    name: 'an admin port in use',
    args: async () => {
      const http = String(await freePort());
      return ['dev', folder.path, '--http-port', http, '--admin-port', String(taken)];
    },
    says: /^Cannot listen on 127\.0\.0\.1:\d+ for the admin port: the port is in use\n/,
  },
])('$name ends with code 1 and says why', { timeout: 60_000 }, async ({ args, says }) => {
  await using gatehouse = startGatehouse(await args());
  expect(await gatehouse.exited).toBe(1);
  expect(gatehouse.stderr()).toMatch(says);
  expect(gatehouse.stdout()).toBe('');
});

test('--help prints the usage', async () => {
  await using gatehouse = startGatehouse(['--help']);
  expect(await gatehouse.exited).toBe(0);
  expect(gatehouse.stdout()).toMatch(/^Usage:\n {2}gatehouse dev FOLDER/);
});
