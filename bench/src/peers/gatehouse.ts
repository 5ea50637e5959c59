import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execute } from '../execute.ts';
import type { Peer, Wire } from '../peer.ts';
import { gatehouseResources } from './gatehouse-resources.ts';

const repository = resolve(import.meta.dirname, '../../..');

async function describeCommit(signal: AbortSignal): Promise<string> {
  const args = ['describe', '--always', '--dirty', '--tags'];
  const { code, stdout } = await execute('git', args, { cwd: repository, signal });
  return code === 0 ? stdout.trim() : 'uncommitted';
}

async function readPair({
  certificate,
}: Wire): Promise<{ certificate: string; key: string } | undefined> {
  if (certificate === undefined) return undefined;
  const [text, key] = await Promise.all([
    readFile(certificate.certificate, 'utf8'),
    readFile(certificate.key, 'utf8'),
  ]);
  return { certificate: text, key };
}

export const gatehouse: Peer = {
  async find(notice, signal) {
    notice('gatehouse: npm run build');
    const { code, stdout, stderr } = await execute('npm', ['run', 'build'], {
      cwd: repository,
      signal,
    });
    if (code === 0) {
      const program = join(repository, 'dist', 'gatehouse.mjs');
      return { kind: 'found', program, version: await describeCommit(signal) };
    }
    const printed = (stdout + stderr).trim().split('\n').slice(-15).join('\n');
    return { kind: 'absent', required: true, reason: `npm run build failed:\n${printed}` };
  },
  async prepare({ program }, { folder, ...order }) {
    const resources = join(folder, 'resources');
    await mkdir(resources);
    const pair = await readPair(order.wire ?? {});
    await writeFile(join(resources, 'site.yaml'), gatehouseResources({ folder, ...order }, pair));
    const ports = ['--http-port', String(order.port), '--admin-port', String(order.adminPort)];
    const log = order.accessLog === undefined ? [] : ['--access-log', order.accessLog];
    return {
      program: process.execPath,
      args: [program, 'dev', resources, ...ports, '--workers', '1', ...log],
      memory: {
        kind: 'metric',
        url: `http://127.0.0.1:${order.adminPort}/metrics`,
        metric: 'process_resident_memory_bytes',
      },
    };
  },
};
