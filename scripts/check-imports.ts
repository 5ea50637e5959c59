import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/**
 * Holds the imports against the arrows that ARCHITECTURE.md lists: between packages, and inside a
 * package from a folder only to folders behind it in the order.
 */
const packages: Record<string, string[]> = {
  crds: [],
  snapshot: [],
  controller: ['crds', 'snapshot'],
  dataplane: ['crds', 'snapshot'],
  standalone: ['crds', 'snapshot', 'controller', 'dataplane'],
  bench: [],
  e2e: [],
};

/** Folders of a package from the top downwards; '' is the package's own src. */
const orders: Record<string, string[]> = {
  crds: ['', 'resources', 'schema'],
  controller: ['', 'admin', 'status', 'leader', 'push', 'providers', 'compile', 'store'],
  dataplane: [
    '',
    'admin',
    'subscribe',
    'workers',
    'server',
    'exchange',
    'telemetry',
    'link',
    'filters',
    'upstreams',
    'http1',
    'router',
    'state',
  ],
};

/**
 * Types may point upwards where two folders describe one thing from two sides: no code runs through
 * such an arrow.
 */
const importLine = /^(import|export)(\s+type)?\b[^'"]*?from\s+['"]([^'"]+)['"]/gm;

const problems: string[] = [];
for (const name of Object.keys(packages)) {
  for (const file of await sources(join(name, 'src'))) await check(name, file);
}
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(
  `import arrows: ${problems.length === 0 ? 'ok' : `${problems.length} wrong`}\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

async function check(name: string, file: string) {
  const text = await readFile(file, 'utf8');
  for (const [, , type, specifier = ''] of text.matchAll(importLine)) {
    const scoped = /^@gatehouse\/([a-z]+)$/.exec(specifier)?.[1];
    if (scoped !== undefined && !packages[name]?.includes(scoped)) {
      problems.push(`${file}: ${name} must not import ${scoped}`);
    }
    if (!specifier.startsWith('.')) continue;
    const target = join(dirname(file), specifier);
    if (relative(name, target).startsWith('..')) {
      problems.push(`${file}: "${specifier}" leaves the package; import by its name`);
    } else if (!type && !file.endsWith('.test.ts')) checkOrder(name, file, target);
  }
}

function checkOrder(name: string, file: string, target: string) {
  const order = orders[name];
  if (!order) return;
  const from = order.indexOf(folderOf(name, file));
  const to = order.indexOf(folderOf(name, target));
  if (from >= 0 && to >= 0 && to < from) {
    problems.push(`${file}: ${order[from] || 'src'} must not import ${order[to] || 'src'}`);
  }
}

function folderOf(name: string, file: string): string {
  const parts = relative(join(name, 'src'), file).split('/');
  return parts.length > 1 ? (parts[0] ?? '') : '';
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('generated'));
}
