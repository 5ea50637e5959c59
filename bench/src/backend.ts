import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { loadCore } from './cores.ts';
import { isRoot, nginxArguments, nginxConf } from './nginx-conf.ts';
import { freePorts } from './ports.ts';
import { get, waitUntilServing } from './probe.ts';
import type { Load, Service } from './scenario.ts';
import { answerOf, serviceConf, writeAnswer } from './service.ts';

const countersPath = '/bench-counters';

/** What proxies forward to. */
export type Backend = {
  child: Child;
  port: number;
  /** The body of its answers. */
  answer: string;
  /** How many requests it has answered: proof that a peer forwarded what it claims. */
  count(): Promise<number>;
};

/** Parses nginx's stub_status page: the third number of its third line is the count of requests so far. */
export function parseRequestCount(page: string): number {
  const count = /^\s*\d+\s+\d+\s+(\d+)\s*$/m.exec(page)?.[1];
  if (count === undefined)
    throw new Error("Cannot read the backend's counters: no line of three numbers");
  return Number(count);
}

/** Starts an nginx on the load core that is a service. `probe` is what it is asked until it answers. */
export async function startBackend(
  service: Service,
  probe: Load,
  folder: string,
  signal: AbortSignal,
): Promise<Backend> {
  const [port, countersPort] = await freePorts(2);
  if (port === undefined || countersPort === undefined) throw new Error('Cannot find a free port');
  const { lines, listen } = serviceConf(service, folder);
  const conf = nginxConf(
    [
      'server {',
      `  listen 127.0.0.1:${countersPort};`,
      `  location = ${countersPath} { stub_status; }`,
      '}',
      'server {',
      `  listen 127.0.0.1:${port}${listen} backlog=4096;`,
      ...lines.map((line) => `  ${line}`),
      '}',
    ],
    isRoot(),
  );
  await writeAnswer(service, folder);
  await writeFile(join(folder, 'nginx.conf'), conf);
  const child = await startChild('backend', loadCore, 'nginx', nginxArguments(folder));
  const answer = answerOf(service);
  try {
    const { method, headers, body, paths } = probe;
    await waitUntilServing(
      child,
      {
        port,
        path: paths[0] ?? '/',
        // What it speaks itself: TLS and upgrades end at the proxies.
        downstream: service.kind === 'grpc' ? 'http2' : 'http1',
        ...(method && { method }),
        ...(headers && { headers }),
        ...(body && { body }),
      },
      answer,
      signal,
    );
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    child,
    port,
    answer,
    count: async () =>
      parseRequestCount((await get({ port: countersPort, path: countersPath })).body),
  };
}
