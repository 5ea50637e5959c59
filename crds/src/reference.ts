import { group, version } from './kinds.ts';
import type { OwnKind } from './own-kinds.ts';
import type { SchemaNode } from './schema/node.ts';
import { expectation } from './validation/expectation.ts';

const heading = `# Resources

Every field of the resources of \`${group}/${version}\`. Generated from the schemas; do not edit.
`;

/** The Markdown page that describes every field of the kinds: one table per object. */
export function referencePage(kinds: readonly OwnKind[]): string {
  return `${[heading, contents(kinds), ...kinds.map(kindSection)].join('\n')}`;
}

function contents(kinds: readonly OwnKind[]): string {
  return `${kinds.map(({ kind }) => `- [${kind}](#${kind.toLowerCase()})`).join('\n')}\n`;
}

function kindSection({ kind, plural, shortNames, description, spec, status }: OwnKind): string {
  const names = [plural, ...shortNames].map((name) => `\`${name}\``).join(', ');
  const intro = `## ${kind}\n\n${description} Names for kubectl: ${names}.\n`;
  return [
    intro,
    ...objectSections(kind, 'spec', spec),
    ...objectSections(kind, 'status', status),
  ].join('\n');
}

/** A table for the object at a path, then one for each object inside it. */
function objectSections(kind: string, path: string, node: SchemaNode): string[] {
  const fields = Object.entries(node.properties ?? {});
  const rows = fields.map(([name, field]) => row(kind, path, name, field, node));
  const section = `### ${kind} \`${path}\`

${text(node.description)}
${rulesOf(node)}
| field | type | default | description |
|---|---|---|---|
${rows.join('\n')}
`;
  const inner = fields.flatMap(([name, field]) => {
    const { node: object, suffix } = innermost(field);
    return object.properties ? objectSections(kind, `${path}.${name}${suffix}`, object) : [];
  });
  return [section, ...inner];
}

function row(
  kind: string,
  path: string,
  name: string,
  field: SchemaNode,
  parent: SchemaNode,
): string {
  const required = parent.required?.includes(name) ? ' **required**' : '';
  const { node: object, suffix } = innermost(field);
  const target = `${path}.${name}${suffix}`;
  const type = object.properties
    ? `[${typeOf(field)}](#${anchor(`${kind} ${target}`)})`
    : text(typeOf(field));
  const fallback = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
  const details = [text(field.description), ...ruleTexts(field)].filter((part) => part !== '');
  return `| \`${name}\`${required} | ${type} | ${fallback} | ${details.join(' ')} |`;
}

/** The object, or the scalar, inside lists of lists. */
function innermost(node: SchemaNode): { node: SchemaNode; suffix: string } {
  if (node.additionalProperties?.properties) {
    return { node: node.additionalProperties, suffix: '.*' };
  }
  if (!node.items) return { node, suffix: '' };
  const inner = innermost(node.items);
  return { node: inner.node, suffix: `[]${inner.suffix}` };
}

function typeOf(node: SchemaNode): string {
  if (node.additionalProperties) {
    return node.additionalProperties.properties ? 'map of objects by name' : 'map of strings';
  }
  if (!node.items) return expectation(node);
  const unique = node['x-kubernetes-list-map-keys'];
  const note = unique ? `, unique by ${unique.join(' and ')}` : '';
  const each = node.items.properties ? '' : `, each ${expectation(node.items)}`;
  return `${expectation(node)}${note}${each}`;
}

function rulesOf(node: SchemaNode): string {
  const rules = node['x-kubernetes-validations'] ?? [];
  const lines = rules.map(({ rule, message }) => `- ${text(sentence(message))} \`${rule}\``);
  return lines.length > 0 ? `\nRules:\n\n${lines.join('\n')}\n` : '';
}

function ruleTexts(node: SchemaNode): string[] {
  if (node.properties) return [];
  return (node['x-kubernetes-validations'] ?? []).map(({ message }) => text(sentence(message)));
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

/** Text that cannot break a table or be taken for HTML. */
function text(words = ''): string {
  return words.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}

/** The anchor that GitHub makes of a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
}
