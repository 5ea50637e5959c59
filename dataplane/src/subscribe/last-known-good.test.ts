import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import {
  EndpointsSchema,
  emptySet,
  Kind,
  keyOf,
  manifestOf,
  type Resource,
  type ResourceSet,
  RouteSchema,
  resourceOf,
} from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openLastKnownGood } from './last-known-good.ts';
import { encode } from './last-known-good-file.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lkg-'));
  file = join(folder, 'state', 'last-known-good');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const route = (name: string, created: number) =>
  resourceOf(Kind.ROUTE, name, RouteSchema, create(RouteSchema, { created: BigInt(created) }));
const ends = (name: string, port: number) =>
  resourceOf(
    Kind.ENDPOINTS,
    name,
    EndpointsSchema,
    create(EndpointsSchema, { endpoints: [{ address: '10.0.0.1', port }] }),
  );
const setOf = (...resources: Resource[]): ResourceSet =>
  new Map(resources.map((resource) => [keyOf(resource.kind, resource.name), resource]));
const silent = { info: () => undefined, warn: () => undefined };

describe('a saved file', () => {
  test('loads again in another process life', async () => {
    const config = setOf(route('a', 1), route('b', 2));
    const endpoints = setOf(ends('u', 80));
    await openLastKnownGood(file).save(config, endpoints);
    const held = await openLastKnownGood(file).load();
    expect(manifestOf(held!.config)).toEqual(manifestOf(config));
    expect(manifestOf(held!.endpoints)).toEqual(manifestOf(endpoints));
  });

  test('tells how many data planes share limits', async () => {
    await openLastKnownGood(file).save(setOf(route('a', 1)), emptySet, 3);
    expect(await openLastKnownGood(file).load()).toMatchObject({ replicas: 3 });
  });

  test('is private, and leaves nothing beside it', async () => {
    await openLastKnownGood(file).save(setOf(route('a', 1)), emptySet);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(stat(`${file}.tmp`)).rejects.toThrow('ENOENT');
  });

  test('is private even when others left a readable file in the way', async () => {
    await mkdir(join(folder, 'state'));
    await writeFile(`${file}.tmp`, 'old', { mode: 0o666 });
    await openLastKnownGood(file).save(setOf(route('a', 1)), emptySet);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('may be empty', async () => {
    await openLastKnownGood(file).save(emptySet, emptySet);
    expect(await openLastKnownGood(file).load()).toEqual({ config: emptySet, endpoints: emptySet });
  });
});

describe('saving', () => {
  test('many times writes the first and the last state', async () => {
    const lkg = openLastKnownGood(file, { interval: 20 });
    const saves = Array.from({ length: 50 }, (_, n) => lkg.save(setOf(route('a', n)), emptySet));
    await Promise.all(saves);
    expect(lkg.state().saves).toBe(2);
    const held = await openLastKnownGood(file).load();
    expect(manifestOf(held!.config)).toEqual(manifestOf(setOf(route('a', 49))));
  });

  test('waits for others, but not after a quiet time', async () => {
    const lkg = openLastKnownGood(file, { interval: 300 });
    await lkg.save(setOf(route('a', 1)), emptySet);
    const begin = performance.now();
    const waiting = [2, 3, 4].map((n) => lkg.save(setOf(route('a', n)), emptySet));
    await Promise.all(waiting);
    expect(performance.now() - begin).toBeGreaterThan(200);
    expect(lkg.state().saves).toBe(2);
    expect(manifestOf((await lkg.load())!.config)).toEqual(manifestOf(setOf(route('a', 4))));
  });

  test('what still waits is written by close', async () => {
    const lkg = openLastKnownGood(file, { interval: 60_000 });
    const config = setOf(route('a', 1));
    await lkg.save(config, emptySet);
    void lkg.save(config, setOf(ends('u', 80)));
    await lkg.close();
    expect((await openLastKnownGood(file).load())!.endpoints.size).toBe(1);
  });
});

describe('a save that fails', () => {
  const good = setOf(route('a', 1));

  async function expectFailure(at: string, reason: RegExp) {
    const warn = vi.fn();
    const lkg = openLastKnownGood(at, { log: { ...silent, warn }, interval: 0 });
    await lkg.save(setOf(route('a', 2)), emptySet);
    await lkg.save(setOf(route('a', 3)), emptySet);
    expect(lkg.state()).toMatchObject({ saves: 0, failures: 2 });
    expect(lkg.state().lastError).toMatch(reason);
    // Once, not at every change.
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[1]).toMatch(/^Cannot save the last known good config ".*": /);
  }

  test('for a full disk keeps the old file, and the next good one replaces it', async () => {
    await openLastKnownGood(file).save(good, emptySet);
    const warn = vi.fn();
    const lkg = openLastKnownGood(file, { log: { ...silent, warn }, interval: 0 });
    // Every write to it is answered with ENOSPC.
    await symlink('/dev/full', `${file}.tmp`);
    await lkg.save(setOf(route('a', 2)), emptySet);
    expect(lkg.state()).toMatchObject({ saves: 0, failures: 1 });
    expect(lkg.state().lastError).toBe(
      `Cannot save the last known good config "${file}": the disk is full`,
    );
    expect(warn).toHaveBeenCalledTimes(1);
    const held = await openLastKnownGood(file).load();
    expect(manifestOf(held!.config)).toEqual(manifestOf(good));

    await lkg.save(setOf(route('a', 3)), emptySet);
    expect(lkg.state()).toMatchObject({ saves: 1, failures: 1, lastError: undefined });
  });

  test('because a file is where the folder should be', async () => {
    await writeFile(join(folder, 'state'), '');
    await expectFailure(file, /EEXIST|ENOTDIR/);
  });

  test('because nobody can write to the folder, not even root', async () => {
    await expectFailure('/proc/self/last-known-good', /EACCES|ENOENT|EPERM/);
  });

  test('because a folder is in the way of the file', async () => {
    await mkdir(join(file, 'occupied'), { recursive: true });
    await expectFailure(file, /EISDIR|ENOTEMPTY|EEXIST/);
  });
});

describe('load refuses and says why:', () => {
  async function loadBytes(bytes: Uint8Array) {
    await mkdir(join(folder, 'state'), { recursive: true });
    await writeFile(file, bytes);
    const warn = vi.fn();
    const info = vi.fn();
    const lkg = openLastKnownGood(file, { log: { info, warn } });
    const held = await lkg.load();
    return { held, text: warn.mock.calls.flat().join(' '), state: lkg.state() };
  }
  const whole = encode({
    config: setOf(...Array.from({ length: 40 }, (_, n) => route(`r-${n}`, n))),
    endpoints: setOf(ends('u', 80)),
  });

  test('nothing when there is no file', async () => {
    const info = vi.fn();
    const lkg = openLastKnownGood(file, { log: { ...silent, info } });
    expect(await lkg.load()).toBeUndefined();
    expect(info).toHaveBeenCalledTimes(1);
    expect(lkg.state().lastError).toBeUndefined();
  });

  test('a file that is truncated, anywhere', async () => {
    for (let length = 0; length < whole.length; length += 64) {
      const { held, text } = await loadBytes(whole.subarray(0, length));
      expect(held).toBeUndefined();
      expect(text).toMatch(/truncated|not a last-known-good file/);
    }
  });

  test('a file with any byte altered', async () => {
    for (let at = 0; at < whole.length; at += 41) {
      const altered = Buffer.from(whole);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const { held, text } = await loadBytes(altered);
      expect(held).toBeUndefined();
      expect(text).toMatch(/Cannot use the last known good config/);
    }
  });

  test('a file with something behind it', async () => {
    const { text } = await loadBytes(Buffer.concat([whole, Buffer.from('x')]));
    expect(text).toMatch('was altered');
  });

  test('a file of another program', async () => {
    const { held, text, state } = await loadBytes(
      Buffer.from('PK\u0003\u0004 something else entirely'),
    );
    expect(held).toBeUndefined();
    expect(text).toMatch('it is not a last-known-good file');
    expect(state.lastError).toMatch(file);
  });

  test('a file of a newer format', async () => {
    const newer = Buffer.from(whole);
    newer.writeUInt32BE(2, 'GATEHOUSE-LKG\n'.length);
    expect((await loadBytes(newer)).text).toMatch('its format is 2, this release reads 1');
  });

  test('a resource whose body does not fit its hash, though the checksum does', async () => {
    const forged = encode({
      config: setOf({ ...route('a', 1), body: new Uint8Array([1]) }),
      endpoints: emptySet,
    });
    expect((await loadBytes(forged)).text).toMatch(
      'the body of resource "a" does not fit its hash',
    );
  });

  test('a folder', async () => {
    await mkdir(file, { recursive: true });
    const lkg = openLastKnownGood(file, { log: silent });
    expect(await lkg.load()).toBeUndefined();
    expect(lkg.state().lastError).toMatch('EISDIR');
  });

  test('what it refused is replaced by the next save', async () => {
    await loadBytes(whole.subarray(0, 100));
    const lkg = openLastKnownGood(file);
    await lkg.save(setOf(route('a', 1)), emptySet);
    expect((await readFile(file)).length).toBeGreaterThan(50);
    expect((await lkg.load())!.config.size).toBe(1);
  });
});
