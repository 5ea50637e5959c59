import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { corednsProgram } from './binaries.ts';
import { cachePath, exists, makeCached } from './cache.ts';
import { run } from './execute.ts';
import { versions } from './versions.ts';

/** Holds the namespaces of a pod open. */
export const pauseImage = 'gatehouse.dev/e2e/pause:1';
export const corednsImage = `gatehouse.dev/e2e/coredns:${versions.coredns}`;

/** Archives of the images that a node needs before any pod of ours runs; made once. */
export async function nodeImages(): Promise<string[]> {
  const pause = cachePath('pause-1', 'pause.tar');
  if (!(await exists(pause))) {
    await makeCached([pause], async (folder) => {
      const program = join(folder, 'pause');
      const source = join(import.meta.dirname, 'pause');
      const environment = { CGO_ENABLED: '0' };
      await run('go', ['build', '-ldflags', '-s -w', '-o', program, '.'], {
        cwd: source,
        environment,
      });
      await packProgram(folder, program, pauseImage);
    });
  }
  const coredns = cachePath(`coredns-${versions.coredns}`, 'coredns.tar');
  if (!(await exists(coredns))) {
    const program = await corednsProgram();
    await makeCached([coredns], (folder) => packProgram(folder, program, corednsImage));
  }
  return [pause, coredns];
}

/** Writes NAME.tar, an image of nothing but one static program, in the layout of `docker save`. */
async function packProgram(folder: string, program: string, image: string): Promise<void> {
  const name = basename(program);
  const root = join(folder, 'root');
  await mkdir(root);
  await copyFile(program, join(root, name));
  const layer = join(folder, 'layer.tar');
  await run('tar', ['-C', root, '--owner=0', '--group=0', '--mtime=@0', '-cf', layer, name]);
  const digest = await sha256Of(layer);
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: [`/${name}`] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [image], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const parts = ['manifest.json', 'config.json', 'layer.tar'];
  await run('tar', ['-C', folder, '-cf', join(folder, `${name}.tar`), ...parts]);
}

async function sha256Of(path: string): Promise<string> {
  const [digest = ''] = (await run('sha256sum', [path])).split(' ');
  return digest;
}
