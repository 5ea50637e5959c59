import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetesPrograms } from '../../e2e/cluster/binaries.ts';
import { type Manifest, podOf } from '../render.ts';

const root = join(import.meta.dirname, '../..');
const kustomize = join(root, 'deploy/kustomize');
let overlay: string;
let kubectl: string;

beforeAll(async () => {
  [kubectl] = await kubernetesPrograms(['kubectl']);
  overlay = await realpath(await mkdtemp(join(tmpdir(), 'gatehouse-kustomize-')));
});
afterAll(() => rm(overlay, { recursive: true }));

async function build(components: string[]): Promise<Manifest[]> {
  const kustomization = {
    resources: [relative(overlay, join(kustomize, 'base'))],
    components: components.map((name) => relative(overlay, join(kustomize, name))),
  };
  await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
  const { status, stdout, stderr } = spawnSync(kubectl, ['kustomize', overlay], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

test('what is generated from the chart is up to date', () => {
  const program = join(root, 'scripts/chart-kustomize.ts');
  const { stdout, stderr } = spawnSync(process.execPath, [program, '--check'], {
    encoding: 'utf8',
  });
  expect(stderr + stdout).toBe('');
});

test('the base has everything but the Gateway', async () => {
  const kinds = new Set((await build([])).map(({ kind }) => kind));
  for (const kind of ['Namespace', 'ClusterRole', 'Deployment', 'Secret', 'ConfigMap']) {
    expect(kinds).toContain(kind);
  }
  for (const kind of ['Certificate', 'Gateway', 'Pod']) expect(kinds).not.toContain(kind);
});

test('components add the certificate and the Gateway', async () => {
  const objects = await build(['cert-manager', 'gateway']);
  const certificate = objects.find(
    ({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'gatehouse-controller-tls',
  );
  expect(certificate?.spec).toMatchObject({ secretName: 'gatehouse-controller-tls' });
  expect(objects.filter(({ kind }) => ['Secret', 'ConfigMap'].includes(kind))).toEqual([]);
  const { args } = podOf(objects, 'Deployment gatehouse-controller').containers[0];
  expect(args).toContain('--tls-cert=/etc/gatehouse/tls/tls.crt');
  expect(args.join()).not.toContain('--tls-secret');
  const trust = podOf(objects, 'Deployment gatehouse-dataplane').volumes.find(
    ({ name }) => name === 'trust',
  );
  expect(JSON.stringify(trust)).toContain('"secret":{"');
  expect(objects.some(({ kind }) => kind === 'Gateway')).toBe(true);
});

test('nothing of helm is left in it', async () => {
  const text = await readFile(join(kustomize, 'base/generated/gatehouse.yaml'), 'utf8');
  expect(text).not.toMatch(/helm/i);
});
