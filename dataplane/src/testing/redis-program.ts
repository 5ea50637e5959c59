import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['redis-server', 'valkey-server'];

/** Path of the server that tests start. @throws Error that says what to install */
export function redisProgram(): string {
  const found = find();
  if (found === undefined) throw new Error(sentence);
  return found;
}

/** What is missing and what to install; undefined when all is there. */
export function missingRedis(): string | undefined {
  return find() === undefined ? sentence : undefined;
}

const sentence =
  'Cannot run the tests of Redis: there is no "redis-server". Install the Debian package "redis-server" ' +
  '(apt-get install redis-server; brew install redis on a Mac)';

function find(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}
