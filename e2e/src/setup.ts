import type { TestProject } from 'vitest/node';
import { startCluster } from '../cluster/cluster.ts';
import { previousRelease, type ReleaseTree } from '../cluster/previous-release.ts';
import { startKindCluster } from '../kind/cluster.ts';
import { createNamespace, type Installed, installGatehouse } from './gatehouse.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: Installed;
  }
}

/**
 * Starts the cluster that the suites share, builds and loads the images, installs the chart.
 * E2E_KIND=1 takes kind for it; E2E_KEEP=1 goes on with the cluster of the last run and keeps it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const start = process.env.E2E_KIND === '1' ? startKindCluster : startCluster;
  const running = await start({ reuse: process.env.E2E_KEEP === '1' });
  try {
    const previous = await findPrevious();
    const build = await running.loadImages(previous?.path);
    const cluster = { ...running.cluster, build, previous };
    await createNamespace(cluster);
    await installGatehouse(cluster);
    project.provide('cluster', cluster);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return () => running.stop();
}

/** Undefined, and told, in a clone that does not have it. */
async function findPrevious(): Promise<ReleaseTree | undefined> {
  return previousRelease().catch((error: Error) => {
    process.stderr.write(`e2e: left out: upgrades from the previous release: ${error.message}\n`);
    return undefined;
  });
}
