import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFolder } from '@gatehouse/controller';
import { checkExpression, isKind, pathText, validateObject } from '@gatehouse/crds';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

/** What the guide shows must work: every YAML block with resources is validated, each page checked as a folder. */
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

describe('the expressions of the guide', () => {
  /** An empty line between two of them. */
  const expressions = [
    ...readFileSync(join(guide, 'expressions.md'), 'utf8').matchAll(/^```cel\n([\s\S]*?)^```/gm),
  ].flatMap(([, block = '']) => block.trim().split('\n\n'));

  it('are found', () => {
    expect(expressions.length).toBeGreaterThan(10);
  });

  it.each(expressions)('%s is sound', (text) => {
    const problems = (['bool', 'header', 'number'] as const).map((type) =>
      checkExpression(text, type, 'identity'),
    );
    expect(problems).toContain(undefined);
  });
});
