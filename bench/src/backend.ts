import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { loadCore } from './cores.ts';
import { isRoot, nginxArguments, nginxConf } from './nginx-conf.ts';
import { get, waitUntilServing } from './probe.ts';

/** 142 bytes, the size that the project's figures have been measured with from the start. */
export const backendBody = JSON.stringify({
  id: 42,
  name: 'Ada Lovelace',
  email: 'ada@ex.org',
  roles: ['admin', 'author'],
  team: { id: 7, name: 'Ops' },
  active: true,
  score: 986,
  tag: 0,
});

const countersPath = '/bench-counters';

export type Backend = { child: Child; port: number };

/** Starts nginx on the load core: it answers every path with the same JSON. */
export async function startBackend(
  folder: string,
  port: number,
  signal: AbortSignal,
): Promise<Backend> {
  const conf = nginxConf(
    [
      'server {',
      `  listen 127.0.0.1:${port} backlog=4096;`,
      `  location = ${countersPath} { stub_status; }`,
      `  location / { default_type application/json; return 200 '${backendBody}'; }`,
      '}',
    ],
    isRoot(),
  );
  await writeFile(join(folder, 'nginx.conf'), conf);
  const child = await startChild('backend', loadCore, 'nginx', nginxArguments(folder));
  try {
    await waitUntilServing(child, { port, path: '/' }, backendBody, signal);
    return { child, port };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/** Parses nginx's stub_status page: the third number of its third line is the count of requests so far. */
export function parseRequestCount(page: string): number {
  const count = /^\s*\d+\s+\d+\s+(\d+)\s*$/m.exec(page)?.[1];
  if (count === undefined)
    throw new Error("Cannot read the backend's counters: no line of three numbers");
  return Number(count);
}

/** How many requests the backend has answered: proof that a peer forwarded what it claims. */
export async function countRequests(backend: Backend): Promise<number> {
  return parseRequestCount((await get({ port: backend.port, path: countersPath })).body);
}
