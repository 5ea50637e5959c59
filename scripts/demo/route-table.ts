import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RouteObject } from '@gatehouse/crds';
import { parseAllDocuments } from 'yaml';

type Rule = RouteObject['spec']['rules'][number];

/** A line for every match of every Route: host, path, action, where to. */
export async function routeTable(folder: string, files: string[]): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const routes = texts
    .flatMap((text) => parseAllDocuments(text))
    .map((document) => document.toJS() as RouteObject)
    .filter(({ kind }) => kind === 'Route');
  const rows = routes.flatMap(({ metadata, spec }) =>
    spec.rules.flatMap((rule) =>
      (rule.matches ?? [{}]).map((match) => [
        metadata.name,
        spec.hostnames?.join(' ') ?? '*',
        [match.methods?.join(',') ?? '', pathOf(match)].join(' ').trim(),
        ...actionOf(rule),
      ]),
    ),
  );
  return columns([['ROUTE', 'HOST', 'PATH', 'ACTION', 'WHERE TO'], ...rows]);
}

function pathOf({ path }: NonNullable<Rule['matches']>[number]): string {
  if (path === undefined) return '/*';
  return path.type === 'Prefix' ? `${path.value.replace(/\/$/, '')}/*` : path.value;
}

function actionOf({ backends = [], mirrors = [], redirect, respond }: Rule): [string, string] {
  if (respond) return ['respond', String(respond.status)];
  if (redirect) {
    const { scheme = 'http', host = '(same host)', path, prefix = '' } = redirect;
    return ['redirect', `${scheme}://${host}${path ?? `${prefix}/*`}`];
  }
  const names = backends.map(({ name, weight }) =>
    weight === undefined ? name : `${name} ${weight}`,
  );
  const copies = mirrors.map(({ name }) => `copy to ${name}`);
  return ['forward', [...names, ...copies].join(', ')];
}

export function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
