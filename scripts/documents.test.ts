import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** What the documents say is held against what is there. */
const root = join(import.meta.dirname, '..');
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
const guide = markdownIn('docs/guide');

describe('the links of the documents', () => {
  const roots = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
  const documents = [...roots, ...guide, ...markdownIn('docs/adr')];

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

describe('what the guide says of the programs', () => {
  const guideText = guide.map((page) => readFileSync(join(root, page), 'utf8')).join('\n');
  const source = (file: string) => readFileSync(join(root, file), 'utf8');

  it('names every flag, and no other', () => {
    const flags = [
      ...source('controller/src/options.ts').matchAll(/^ {2}'?([a-z-]+)'?: \{ type:/gm),
      ...source('dataplane/src/options.ts').matchAll(/^ {6}'?([a-z-]+)'?: text,/gm),
      ...source('dataplane/src/options.ts').matchAll(/^ {2}'([a-z-]+)': '\w+',/gm),
      ...source('standalone/src/options.ts').matchAll(/'?([a-z-]+)'?: (?:\{ \.\.\.)?text\b/g),
    ].map(([, flag]) => `--${flag}`);
    const tables = [...guideText.matchAll(/^\|[^|]*\|/gm)].map(([cell]) => cell).join();
    const named = [...tables.matchAll(/`(--[a-z-]+)`/g)].map(([, flag]) => flag);
    expect(flags.length).toBeGreaterThan(25);
    expect(flags.filter((flag) => !guideText.includes(`\`${flag}`))).toEqual([]);
    expect(named.filter((flag) => !flags.includes(String(flag)))).toEqual([]);
  });

  it('names every metric', () => {
    const files = [
      'dataplane/src/telemetry/families.ts',
      'dataplane/src/telemetry/process-metrics.ts',
      'dataplane/src/upstreams/metrics.ts',
      'dataplane/src/upstreams/oversight/oversight.ts',
      'dataplane/src/filters/rate-limit/adaptive/adaptive-limits.ts',
      'dataplane/src/filters/rate-limit/redis/stores.ts',
      'dataplane/src/filters/rate-limit/counters.ts',
      'controller/src/admin/routes.ts',
      'controller/src/admin/metrics.ts',
      'controller/src/admin/discovery-metrics.ts',
    ];
    const names = files.flatMap((file) =>
      [...source(file).matchAll(/'((?:gateway|gatehouse|process|nodejs)_[a-z_]+)'/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !guideText.includes(`\`${name}`))).toEqual([]);
  });

  it('names every request of the admin ports', () => {
    const calls = ['dataplane/src/admin/admin.ts', 'controller/src/admin/routes.ts'].flatMap(
      (file) =>
        [...source(file).matchAll(/'((?:GET|POST) \/[a-z/]+)'/g)].map(([, call = '']) => call),
    );
    expect(calls.length).toBeGreaterThan(10);
    expect(calls.filter((call) => !guideText.includes(`\`${call}\``))).toEqual([]);
  });

  it('gives the limits their defaults', () => {
    const values = [...source('dataplane/src/http1/limits.ts').matchAll(/^ {2}\w+: ([\d_]+),$/gm)];
    const rows = source('docs/guide/http.md').match(/^\| `--[^\n]*/gm) ?? [];
    const listed = rows.map((row) => row.split('|')[2]?.trim());
    expect(listed).toEqual(values.map(([, value = '']) => value.replaceAll('_', '')));
  });

  it('gives errors as they are in the code', () => {
    const rows = source('docs/guide/http.md').match(/^\| \d{3} .*/gm) ?? [];
    const texts = rows.flatMap((row) => [...(row.split('|')[2] ?? '').matchAll(/`([^`]+)`/g)]);
    const code = [
      'exchange/action.ts',
      'exchange/forward.ts',
      'exchange/delivery.ts',
      'upstreams/refusals.ts',
      'http1/request-head.ts',
      'server/connection.ts',
      'server/request-reader.ts',
    ].map((file) => source(`dataplane/src/${file}`));
    expect(texts.length).toBeGreaterThan(12);
    expect(texts.filter(([, text]) => !code.join().includes(`'${text}'`)).map(String)).toEqual([]);
  });
});

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
