import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFolder } from '@gatehouse/controller';
import { isKind, pathText, validateObject } from '@gatehouse/crds';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

/** What the guide shows must work: every YAML block with resources is validated, and each page checked as a folder. */
const root = join(import.meta.dirname, '..');
const guide = join(root, 'docs', 'guide');
const pages = [
  'README.md',
  ...readdirSync(guide)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/guide/${name}`),
];

/** Pages about clusters: their resources refer to what is in the cluster. */
const refersElsewhere = new Set(['docs/guide/install.md', 'docs/guide/development-cluster.md']);

/** A fenced block may be indented, in a list. */
const fence = /^([ \t]*)```ya?ml\n([\s\S]*?)^\1```/gm;

type Block = { line: number; text: string };

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(fence)]
    .map(({ 1: indent = '', 2: body = '', index }) => ({
      line: text.slice(0, index).split('\n').length,
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }))
    .filter((block) => /^apiVersion:/m.test(block.text));
}

function mistakesIn(page: string, { line, text }: Block): string[] {
  return parseAllDocuments(text).flatMap((document) => {
    const at = `${page}:${line}`;
    if (document.errors.length > 0)
      return document.errors.map(({ message }) => `${at}: ${message}`);
    const object: unknown = document.toJS();
    if (!isForGatehouse(object)) return [];
    const validated = validateObject(object);
    if ('object' in validated) return [];
    return validated.problems.map(({ path, message }) => `${at}: ${pathText(path)}: ${message}`);
  });
}

function isForGatehouse(object: unknown): boolean {
  const { apiVersion, kind } = object as { apiVersion?: unknown; kind?: unknown };
  return isKind(kind) || String(apiVersion).startsWith('gatehouse.dev/');
}

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

describe('the YAML of the guide', () => {
  it('is found', () => {
    expect(blocksOf('docs/guide/routes.md').length).toBeGreaterThan(5);
    expect(blocksOf('docs/guide/getting-started.md').length).toBe(1);
  });

  it.each(pages)('%s holds valid resources', (page) => {
    expect(blocksOf(page).flatMap((block) => mistakesIn(page, block))).toEqual([]);
  });

  it.each(pages.filter((page) => !refersElsewhere.has(page)))(
    '%s passes gatehouse check',
    async (page) => {
      folder = mkdtempSync(join(tmpdir(), 'gatehouse-guide-'));
      for (const { line, text } of blocksOf(page))
        writeFileSync(join(folder, `${line}.yaml`), text);
      // The certificate that pages about TLS refer to.
      cpSync(join(root, 'examples/tls/secret.yaml'), join(folder, 'secret.yaml'));
      expect((await checkFolder(folder)).mistakes).toEqual([]);
    },
  );
});

describe('the links of the documents', () => {
  const documents = [
    ...pages,
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...readdirSync(join(root, 'docs/adr')).map((name) => `docs/adr/${name}`),
  ];

  it.each(documents)('%s leads to files and headings that exist', (page) => {
    const dead = linksOf(page).filter((link) => !leadsSomewhere(page, link));
    expect(dead).toEqual([]);
  });
});

/** Relative links, outside of code. */
function linksOf(page: string): string[] {
  const prose = readFileSync(join(root, page), 'utf8').replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? join(root, page) : join(root, page, '..', path);
  try {
    if (heading === undefined) return readdirSync(join(target, '..')).includes(lastOf(target));
    return headingsOf(readFileSync(target, 'utf8')).includes(heading);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

function lastOf(path: string): string {
  return path.replace(/\/$/, '').split('/').at(-1) ?? '';
}

/** Anchors as GitHub makes them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('ARCHITECTURE.md', () => {
  it('lists the import arrows that check-imports holds to', () => {
    const script = readFileSync(join(root, 'scripts/check-imports.ts'), 'utf8');
    const orders = script.slice(script.indexOf('const orders'), script.indexOf('const importLine'));
    const wanted = [...orders.matchAll(/^ {2}(\w+): \[([^\]]*)\]/gm)].map(
      ([, name = '', folders = '']) => {
        const order = [...folders.matchAll(/'(\w+)'/g)].map(([, folder]) => folder);
        return [name, order.join(' > ')];
      },
    );
    expect(wanted.length).toBeGreaterThan(2);
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const listed = [...text.matchAll(/^(\w+) +(\w+(?: > \w+)+)$/gm)];
    expect(listed.map(([, name, order]) => [name, order])).toEqual(wanted);
  });
});
