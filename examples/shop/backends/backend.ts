import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Row, Table } from './table.ts';

type Answer = { status: number; body: unknown; location?: string };

/** A table that can grow. Two backends may share one, as a database. */
export type Data = { table: Table; rows: Row[] };

export function dataOf(table: Table): Data {
  return { table, rows: [...table.rows] };
}

/** An HTTP server over a table. Every answer says by `x-served-by` which instance it came from. */
export function createBackend(instance: string, data: Data): Server {
  let requests = 0;
  return createServer(async (request, response) => {
    const counting = request.url === '/_requests';
    if (!counting) requests++;
    const answer = counting
      ? { status: 200, body: { instance, requests } }
      : await answerOf(data, request);
    write(response, instance, answer);
  });
}

async function answerOf(data: Data, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://backend');
  const { table, rows } = data;
  const rest = below(table.path, pathname);
  if (rest === undefined) return notFound;
  const [first = '', second] = rest.split('/');
  if (request.method === 'POST' && first === '') return create(data, await text(request));
  if (request.method !== 'GET') return { status: 405, body: { error: 'Method not allowed' } };
  const currency = request.headers['x-currency'];
  const shown = (row: Row) => (currency === undefined ? row : { ...row, currency });
  const group = table.groups?.[first];
  if (first === '' || (group !== undefined && second !== undefined)) {
    const wanted = [...searchParams, ...(group ? [[group, second] as const] : [])];
    const found = rows.filter((row) =>
      wanted.every(([field, value]) => !(field in row) || String(row[field]) === value),
    );
    return { status: 200, body: { items: found.map(shown), total: found.length } };
  }
  const row = second === undefined ? rows.find(({ id }) => String(id) === first) : undefined;
  return row ? { status: 200, body: shown(row) } : notFound;
}

const notFound: Answer = { status: 404, body: { error: 'No such item' } };

/** What follows `base` in a path, without slashes around it; undefined when it is elsewhere. */
function below(base: string, path: string): string | undefined {
  const prefix = base === '/' ? '' : base;
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return undefined;
  return path.slice(prefix.length).replace(/^\/|\/$/g, '');
}

function create({ table, rows }: Data, body: string): Answer {
  const fields = objectOf(body);
  if (fields === undefined) return { status: 400, body: { error: 'Expected a JSON object' } };
  const missing = table.required.filter((field) => !(field in fields));
  if (missing.length > 0) return { status: 422, body: { error: `Missing: ${missing.join(', ')}` } };
  const id = Math.max(...rows.map((row) => row.id)) + 1;
  const row = { ...fields, id };
  rows.push(row);
  return { status: 201, body: row, location: `${table.path === '/' ? '' : table.path}/${id}` };
}

function objectOf(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function write(response: ServerResponse, instance: string, { status, body, location }: Answer) {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-served-by': instance,
    // What no client should see; examples/shop/users.yaml removes it.
    'x-internal-build': '2026.11.2',
    ...(location === undefined ? {} : { location }),
  });
  response.end(`${JSON.stringify(body)}\n`);
}
