import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processesWith, processOf, runs } from './processes.ts';
import {
  allRun,
  createRunDirectory,
  isKept,
  keep,
  ownerOf,
  runDirectories,
  start,
} from './run-directory.ts';
import { remove } from './stop.ts';

describe('a run directory', () => {
  it('suffices to end what was started in it', async () => {
    const directory = await createRunDirectory('test', { unique: true });
    const mark = `${directory.path}/mark`;
    try {
      const script = 'echo started; trap "" TERM; while true; do sleep 1; done';
      const started = await start(directory, 'sh', ['-c', script, mark], { name: 'stubborn' });
      await expect.poll(() => readFile(started.log, 'utf8')).toBe('started\n');
      expect(await runs(started)).toBe(true);
      // Until it has become `sleep`, what the shell forks has the same arguments.
      const only = [{ pid: started.pid, start: started.start }];
      await expect.poll(() => processesWith(mark)).toEqual(only);
      expect(await allRun(directory)).toBe(true);
      expect(await runDirectories()).toContainEqual(directory);

      await remove({ path: directory.path });
      expect(await runs(started)).toBe(false);
      expect(await runDirectories()).not.toContainEqual(directory);
    } finally {
      await remove(directory);
    }
  });

  it('knows its owner, and whether it was kept', async () => {
    const directory = await createRunDirectory('test', { unique: true });
    try {
      expect(await ownerOf(directory)).toEqual(await processOf(process.pid));
      expect(await isKept(directory)).toBe(false);
      await keep(directory);
      expect(await isKept(directory)).toBe(true);
      expect(await ownerOf({ path: join(directory.path, 'nowhere') })).toBeUndefined();
    } finally {
      await remove(directory);
    }
  });

  it('tells why a program cannot be started', async () => {
    const directory = await createRunDirectory('test', { unique: true });
    try {
      const nothing = start(directory, '/nowhere/program', [], { name: 'nothing' });
      await expect(nothing).rejects.toThrow('ENOENT');
      expect(await allRun(directory)).toBe(false);
    } finally {
      await remove(directory);
    }
  });
});

describe('a process', () => {
  it('is not another one of the same id', async () => {
    const own = await processOf(process.pid);
    expect(own).toBeDefined();
    expect(await runs({ pid: process.pid, start: '0' })).toBe(false);
  });
});
