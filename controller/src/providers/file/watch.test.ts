import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RouteObject } from '@gatehouse/crds';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../store/store.ts';
import {
  type FileProblem,
  type FolderWatch,
  loadFolder,
  printProblem,
  watchFolder,
} from './index.ts';

const route = (name: string, port: unknown = 80) => `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata:
  name: ${name}
spec:
  rules:
    - name: all
      backends:
        - name: users
          port: ${port}
`;

let folder: string;
let store: Store;
let watch: FolderWatch | undefined;
let reported: string[];
let wakeUp: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-folder-'));
  store = createStore();
  reported = [];
  wakeUp = () => {};
  store.subscribe(() => wakeUp());
});

afterEach(async () => {
  await watch?.close();
  watch = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const write = (file: string, text: string | Uint8Array) => writeFileSync(join(folder, file), text);
const named = (name: string) =>
  store.list('Route').find((object) => object.metadata.name === name) as RouteObject;
const port = (name: string) => named(name)?.spec.rules[0]?.backends?.[0]?.port;
const names = () =>
  store
    .list('Route')
    .map(({ metadata }) => metadata.name)
    .sort();

async function start(): Promise<FolderWatch> {
  watch = await watchFolder({
    folder,
    store,
    onProblems: (problems: FileProblem[]) => {
      reported = problems.map(printProblem);
      wakeUp();
    },
  });
  return watch;
}

/** Resolves when the store or the problems change so that `holds`; the test's own limit is the deadline. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      wakeUp = resolve;
    });
  }
}

const kept = '(the last good version stays in use)';
const badPort = 'spec.rules[0].backends[0].port: expected an integer from 1 to 65535, found';

describe('a watched folder', () => {
  it('loads what is there, whatever the form', async () => {
    mkdirSync(join(folder, 'more', 'deep'), { recursive: true });
    mkdirSync(join(folder, '.git'));
    mkdirSync(join(folder, 'node_modules'));
    write('a.yaml', `${route('a')}---\n${route('b')}`);
    write('more/deep/c.yml', route('c'));
    write(
      'more/d.json',
      JSON.stringify({
        apiVersion: 'gatehouse.dev/v1alpha1',
        kind: 'Route',
        metadata: { name: 'd', namespace: 'prod' },
        spec: { rules: [{ name: 'all', respond: { status: 200 } }] },
      }),
    );
    write('.hidden.yaml', route('hidden'));
    write('.git/x.yaml', route('hidden'));
    write('node_modules/x.yaml', route('hidden'));
    write('kustomization.yaml', 'resources: [a.yaml]');
    write('notes.txt', 'no object');
    symlinkSync(folder, join(folder, 'more', 'loop'));
    await start();
    expect(reported).toEqual([]);
    expect(names()).toEqual(['a', 'b', 'c', 'd']);
    expect(named('a').metadata).toEqual({ name: 'a', namespace: 'default', generation: 1 });
    expect(named('d').metadata.namespace).toBe('prod');
  });

  it('notices an edit within 100 ms, and only what changed', async () => {
    write('a.yaml', route('a'));
    write('b.yaml', route('b'));
    await start();
    const b = named('b');
    const times: number[] = [];
    for (let next = 81; next < 90; next++) {
      const before = performance.now();
      write('a.yaml', route('a', next));
      await until(() => port('a') === next);
      times.push(performance.now() - before);
    }
    times.sort((one, other) => one - other);
    expect(times[4]).toBeLessThan(100);
    expect(named('a').metadata.generation).toBe(10);
    expect(named('b')).toBe(b);
  });

  it('notices files that are added, replaced by rename and deleted, also in new folders', async () => {
    await start();
    mkdirSync(join(folder, 'new'));
    write('new/a.yaml', route('a'));
    await until(() => port('a') === 80);
    write('new/.a.yaml.swp', route('a', 81));
    renameSync(join(folder, 'new/.a.yaml.swp'), join(folder, 'new/a.yaml'));
    await until(() => port('a') === 81);
    rmSync(join(folder, 'new/a.yaml'));
    await until(() => names().length === 0);
    expect(reported).toEqual([]);
  });

  it('keeps the object of a file that is renamed', async () => {
    write('a.yaml', route('a'));
    const { reload } = await start();
    const before = named('a');
    renameSync(join(folder, 'a.yaml'), join(folder, 'z.yaml'));
    expect(await reload()).toEqual([]);
    expect(named('a')).toBe(before);
  });

  it('keeps the last good version of what became invalid, until it is deleted', async () => {
    write('a.yaml', `${route('a')}---\n${route('b')}`);
    const { reload } = await start();
    write('a.yaml', `${route('a', 'http')}---\n${route('b', 81)}---\n${route('c', 0)}`);
    await reload();
    expect(reported).toEqual([
      `a.yaml:10:11: ${badPort} "http" ${kept}`,
      `a.yaml:32:11: ${badPort} 0`,
    ]);
    expect([port('a'), port('b'), port('c')]).toEqual([80, 81, undefined]);
    write('a.yaml', route('b', 81));
    expect(await reload()).toEqual([]);
    expect(reported).toEqual([]);
    expect(names()).toEqual(['b']);
  });

  it('keeps what a broken text or a slip in the kind hides', async () => {
    write('a.yaml', `${route('a')}---\n${route('b')}`);
    const { reload } = await start();
    write(
      'a.yaml',
      `${route('a').replace('Route', 'Rote')}---\n${route('b').replace('spec:', 'spec: {')}`,
    );
    await reload();
    expect(names()).toEqual(['a', 'b']);
    expect(reported[0]).toBe(
      'a.yaml:2:1: kind: Gatehouse reads no "Rote" of "gatehouse.dev/v1alpha1"; did you mean "Route"?',
    );
    expect(reported.at(-1)).toBe(
      'a.yaml: Route "a" in namespace "default" and 1 more cannot be seen for the mistakes: the last good version stays in use',
    );
    write('a.yaml', route('b'));
    await reload();
    expect(reported).toEqual([]);
    expect(names()).toEqual(['b']);
  });

  it('refuses a second object of the same name and names both places', async () => {
    write('a.yaml', `${route('x')}---\n${route('a', 1)}`);
    write('b.yaml', route('a', 2));
    const { reload } = await start();
    expect(reported).toEqual([
      'b.yaml:1:1: metadata.name: Route "a" in namespace "default" is defined twice: the one at a.yaml:12:1 is used, this one is not; remove one',
    ]);
    expect(port('a')).toBe(1);
    write('a.yaml', route('x'));
    await reload();
    expect(reported).toEqual([]);
    expect(port('a')).toBe(2);
    expect(named('a').metadata.generation).toBe(2);
  });

  it.each<[string, string | Uint8Array, string]>([
    [
      'too large',
      `# ${' '.repeat(4 * 1024 * 1024)}`,
      'a.yaml: Cannot read it: it is larger than 4 MiB; split it',
    ],
    ['no text', Uint8Array.of(0x6b, 0xff, 0xfe), 'a.yaml: Cannot read it: it is not UTF-8 text'],
  ])('keeps what a file held that is %s', async (_, content, message) => {
    write('a.yaml', route('a'));
    write('b.yaml', route('b'));
    const { reload } = await start();
    write('a.yaml', content);
    write('b.yaml', route('b', 81));
    await reload();
    expect(reported).toEqual([
      message,
      expect.stringContaining('Route "a" in namespace "default" cannot be seen'),
    ]);
    expect([port('a'), port('b')]).toEqual([80, 81]);
  });

  it('follows a mounted ConfigMap, which swaps a link to the folder of its files', async () => {
    for (const [version, number] of [
      ['..1', 80],
      ['..2', 81],
    ] as const) {
      mkdirSync(join(folder, version));
      write(`${version}/a.yaml`, route('a', number));
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    await start();
    expect(port('a')).toBe(80);
    symlinkSync('..2', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    await until(() => port('a') === 81);
  });

  it('does not take a file for empty while its editor is about to write it', async () => {
    write('a.yaml', route('a'));
    const { reload } = await start();
    write('a.yaml', '');
    await reload();
    expect(names()).toEqual(['a']);
    await until(() => names().length === 0);
  });

  it('keeps what is behind a path that cannot be looked at', async () => {
    mkdirSync(join(folder, 'more'));
    write('more/a.yaml', route('a'));
    const { reload } = await start();
    rmSync(join(folder, 'more'), { recursive: true });
    symlinkSync('more', join(folder, 'more'));
    await reload();
    expect(reported).toEqual([
      'more: Cannot read it: ELOOP: too many symbolic links encountered',
      expect.stringMatching(/^more\/a.yaml: Route "a" .* cannot be seen/),
    ]);
    expect(names()).toEqual(['a']);
  });

  it('keeps its state while the folder is gone, says so, and goes on when it is back', async () => {
    write('a.yaml', route('a'));
    await start();
    const elsewhere = `${folder}-elsewhere`;
    renameSync(folder, elsewhere);
    await until(() => reported.length > 0);
    expect(reported).toEqual([
      `.: Cannot read folder "${folder}": ENOENT: no such file or directory; what was last read stays in use until it is back`,
    ]);
    expect(names()).toEqual(['a']);
    mkdirSync(folder);
    write('a.yaml', route('a', 81));
    await until(() => port('a') === 81);
    expect(reported).toEqual([]);
    rmSync(elsewhere, { recursive: true });
    // The new folder is watched like the old one was.
    write('a.yaml', route('a', 82));
    await until(() => port('a') === 82);
  });

  it('waits for a folder that is not there yet', async () => {
    rmSync(folder, { recursive: true });
    await start();
    expect(reported).toEqual([
      `.: Cannot read folder "${folder}": ENOENT: no such file or directory`,
    ]);
    mkdirSync(folder);
    write('a.yaml', route('a'));
    await until(() => port('a') === 80);
    expect(reported).toEqual([]);
  });

  it('is silent once closed', async () => {
    write('a.yaml', route('a'));
    const { close, reload } = await start();
    await close();
    write('a.yaml', route('a', 81));
    await reload();
    expect(port('a')).toBe(80);
  });
});

describe('a folder that is read once', () => {
  it('gives the good objects and every mistake, in file order', async () => {
    write('b.yaml', route('b', 0));
    write('a.yaml', `${route('a')}---\n${route('A')}`);
    const { objects, problems } = await loadFolder(folder);
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(problems.map(({ file, line, path }) => [file, line, path])).toEqual([
      ['a.yaml', 15, 'metadata.name'],
      ['b.yaml', 10, 'spec.rules[0].backends[0].port'],
    ]);
  });

  it('that is a file, is a mistake', async () => {
    write('a.yaml', route('a'));
    const file = join(folder, 'a.yaml');
    const { problems } = await loadFolder(file);
    expect(problems.map(printProblem)).toEqual([
      `.: Cannot read folder "${file}": it is not a folder`,
    ]);
  });
});
