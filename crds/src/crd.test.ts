import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crdOf, kinds, ownKinds, referencePage } from './index.ts';
import { nodeOf, type SchemaNode } from './schema/node.ts';
import { compileRule } from './validation/rules.ts';
import { structureProblems } from './validation/structure.ts';

type Place = { path: string; node: SchemaNode; objects: number };

/** Every node of a schema; `objects` is how often it can occur, as the API server estimates it. */
function nodesOf(path: string, node: SchemaNode, objects = 1): Place[] {
  const { items, properties = {}, maxItems = 0 } = node;
  const inner = Object.entries(properties).map(([name, field]) => [name, field] as const);
  return [
    { path, node, objects },
    ...inner.flatMap(([name, field]) => nodesOf(`${path}.${name}`, field, objects)),
    ...(items ? nodesOf(`${path}[]`, items, objects * maxItems) : []),
  ];
}

const own = ownKinds.flatMap(({ kind, spec, status }) => [
  ...nodesOf(`${kind}.spec`, spec),
  ...nodesOf(`${kind}.status`, status),
]);
const all = [
  ...own,
  ...Object.entries(kinds).flatMap(([kind, node]) => nodesOf(kind, nodeOf(node))),
];

describe('schemas', () => {
  it.each(ownKinds.map(({ kind }) => kind))('the CRD of %s is structural', (kind) => {
    const found = ownKinds.find((own) => own.kind === kind)!;
    const text = JSON.stringify(crdOf(found));
    expect(text).not.toContain('"additionalProperties":false');
    expect(text).not.toMatch(/"(\$ref|oneOf|anyOf|allOf|const|~kind)"/);
  });

  it('describe and bound every field', () => {
    for (const { path, node } of all) {
      expect(node.description, path).toBeTruthy();
      if (node.type === 'array') expect(node.maxItems, path).toBeGreaterThan(0);
      if (node.type === 'string' && !node.enum) expect(node.maxLength, path).toBeGreaterThan(0);
      if (node.type === 'integer') expect(node.maximum, path).toBeGreaterThan(0);
      if (node.pattern) expect(() => new RegExp(node.pattern ?? ''), path).not.toThrow();
    }
  });

  it('have defaults that they allow themselves', () => {
    const withDefault = all.filter(({ node }) => node.default !== undefined);
    expect(withDefault.length).toBeGreaterThan(10);
    for (const { node } of withDefault) {
      expect(structureProblems(node, node.default, true)).toEqual([]);
    }
  });

  it('have rules that compile, on objects that are few enough for the cost limit', () => {
    const withRules = own.filter(({ node }) => node['x-kubernetes-validations']);
    expect(withRules.length).toBeGreaterThan(5);
    for (const { path, node, objects } of withRules) {
      for (const { rule, message } of node['x-kubernetes-validations'] ?? []) {
        expect(() => compileRule(rule), `${path}: ${rule}`).not.toThrow();
        expect(message, path).toBeTruthy();
        // The API server allows 10 million units a rule. Walking a string costs a unit for ten of its
        // characters, so a rule that walks one may not stand where very many objects can be.
        const walks = /\.(contains|matches|split|indexOf|replace)\(/.test(rule);
        expect(objects * (walks ? 1000 : 9), `${path}: ${rule}`).toBeLessThan(10_000_000);
      }
    }
  });
});

describe('what is generated', () => {
  it('is up to date', () => {
    const script = join(import.meta.dirname, '../../scripts/generate.ts');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('has a row for each field and a heading for each link', () => {
    const page = referencePage(ownKinds);
    for (const { path } of own) {
      const name = /\.([A-Za-z]+)$/.exec(path)?.[1];
      if (name && !/^[A-Za-z]+\.(spec|status)$/.test(path)) expect(page).toContain(`| \`${name}\``);
    }
    const anchors = new Set(
      [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      ),
    );
    const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(20);
    for (const link of links) expect(anchors).toContain(link);
  });
});
