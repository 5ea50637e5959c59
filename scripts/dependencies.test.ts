import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

type Manifest = {
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
};

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}

/** "name version" of every package that some package.json asks for. */
function asked(): string[] {
  const manifests = ['.', ...(manifestIn('.').workspaces ?? [])].map(manifestIn);
  const all = manifests.flatMap(({ dependencies, devDependencies }) =>
    Object.entries({ ...dependencies, ...devDependencies }),
  );
  const others = all.filter(([name]) => !name.startsWith('@gatehouse/'));
  return [...new Set(others.map(([name, version]) => `${name} ${version}`))].sort();
}

/** The same of the tables in the ADR. */
function explained(): string[] {
  const text = readFileSync(join(root, 'docs/adr/0004-dependencies.md'), 'utf8');
  return [...text.matchAll(/^\| `([^`]+)`\s*\| (\S+)\s*\|/gm)]
    .map(([, name, version]) => `${name} ${version}`)
    .sort();
}

it('docs/adr/0004-dependencies.md explains every package, and no other', () => {
  expect(explained()).toEqual(asked());
});

it('every version is exact', () => {
  expect(asked().filter((entry) => !/ \d+\.\d+\.\d+$/.test(entry))).toEqual([]);
});
