import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ChildOptions, startChild } from './child.ts';
import { proxyCore } from './cores.ts';

const script = 'console.log("to stdout"); console.error("to stderr"); process.exitCode = 3';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-child-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function printedAtEnd(options: ChildOptions): Promise<string> {
  await using child = await startChild('it', proxyCore, process.execPath, ['-e', script], options);
  await expect.poll(() => child.ended(), { timeout: 20_000 }).toBe('exited with code 3');
  await expect.poll(() => child.printed()).toContain('to stderr');
  return child.printed();
}

test('what a program prints is at hand', async () => {
  expect(await printedAtEnd({})).toContain('to stdout');
});

test('unless its stdout is a file', async () => {
  const stdout = join(folder, 'out.log');
  expect(await printedAtEnd({ stdout })).toBe('to stderr');
  expect(await readFile(stdout, 'utf8')).toBe('to stdout\n');
});
