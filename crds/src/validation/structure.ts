import type { SchemaNode } from '../schema/node.ts';
import { expectation } from './expectation.ts';
import { alternatives, didYouMean, nearest } from './nearest.ts';
import { found, type Path, type Problem, quoted } from './problem.ts';
import { brokenRules } from './rules.ts';
import { scalarFits } from './scalar.ts';

/** An object with more mistakes than this reports only the first ones. */
const mostProblems = 200;

type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Checks a value against a structural schema: every mistake, in the order of the schema. CEL rules of
 * a node are evaluated only when everything below it is sound, as the API server does.
 * @param reveal whether messages may repeat scalar values; false for secrets.
 */
export function structureProblems(root: SchemaNode, value: unknown, reveal: boolean): Problem[] {
  const problems: Problem[] = [];
  let mistakes = 0;

  function report(path: Path, message: string): void {
    mistakes++;
    if (problems.length < mostProblems) problems.push({ path, message });
  }

  function mismatch(node: SchemaNode, path: Path, actual: unknown): void {
    report(path, `expected ${expectation(node)}, found ${found(actual, reveal)}`);
  }

  function check(node: SchemaNode, path: Path, actual: unknown): void {
    const before = mistakes;
    if (node.type === 'object') {
      if (isFields(actual)) checkFields(node, path, actual);
      else mismatch(node, path, actual);
    } else if (node.type === 'array') {
      if (Array.isArray(actual)) checkItems(node, path, actual);
      else mismatch(node, path, actual);
    } else if (!scalarFits(node, actual)) mismatch(node, path, actual);
    const rules = node['x-kubernetes-validations'];
    if (rules && mistakes === before) {
      for (const message of brokenRules(rules, node, actual)) report(path, message);
    }
  }

  function checkFields(node: SchemaNode, path: Path, fields: Fields): void {
    const { properties, additionalProperties, required } = node;
    for (const [key, field] of Object.entries(properties ?? {})) {
      if (Object.hasOwn(fields, key)) check(field, [...path, key], fields[key]);
      else if (required?.includes(key)) mismatch(field, [...path, key], undefined);
    }
    if (additionalProperties) checkMap(node, additionalProperties, path, fields);
    else checkUnknown(node, path, fields);
  }

  function checkMap(node: SchemaNode, field: SchemaNode, path: Path, fields: Fields): void {
    const keys = Object.keys(fields);
    if (keys.length > (node.maxProperties ?? keys.length)) {
      report(path, `expected ${expectation(node)}, found ${keys.length}`);
    } else for (const key of keys) check(field, [...path, key], fields[key]);
  }

  // Open objects hold fields of others, so there only what looks like a slip of the pen is reported.
  function checkUnknown(node: SchemaNode, path: Path, fields: Fields): void {
    const properties = node.properties ?? {};
    const open = node['x-kubernetes-preserve-unknown-fields'] === true;
    const known = Object.keys(properties);
    const missing = known.filter((key) => !Object.hasOwn(fields, key));
    for (const key of Object.keys(fields)) {
      if (problems.length >= mostProblems) return;
      if (Object.hasOwn(properties, key)) continue;
      if (open && nearest(key, missing) === undefined) continue;
      const hint = didYouMean(key, missing) || didYouMean(key, known);
      report([...path, key], `unknown field${hint || `; known here: ${alternatives(known)}`}`);
    }
  }

  function checkItems(node: SchemaNode, path: Path, list: readonly unknown[]): void {
    const { minItems = 0, maxItems = list.length, items } = node;
    if (list.length < minItems || list.length > maxItems) {
      mismatch(node, path, list);
      return;
    }
    if (items) for (const [index, item] of list.entries()) check(items, [...path, index], item);
    const keys = node['x-kubernetes-list-map-keys'];
    if (keys) checkUnique(keys, path, list);
  }

  function checkUnique(keys: readonly string[], path: Path, list: readonly unknown[]): void {
    const seen = new Map<string, number>();
    for (const [index, item] of list.entries()) {
      if (!isFields(item)) continue;
      const values = keys.map((key) => item[key]).filter((key) => typeof key === 'string');
      if (values.length < keys.length) continue;
      const identity = JSON.stringify(values);
      const first = seen.get(identity);
      if (first === undefined) seen.set(identity, index);
      else {
        const what = `expected a unique ${keys.join(' and ')}, found ${values.map(quoted).join(', ')}`;
        report([...path, index, ...keys.slice(0, 1)], `${what}, which item ${first} has as well`);
      }
    }
  }

  check(root, [], value);
  return problems;
}
