import { join } from 'node:path';
import { helmProgram, kubernetesPrograms } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { startDns } from './dns.ts';
import { loadImages } from './images.ts';
import { requireMachine } from './machine.ts';
import { prepareNode, startNode } from './node.ts';
import { nodeAddress } from './node-names.ts';
import {
  allRun,
  createRunDirectory,
  isKept,
  keep,
  own,
  ownerOf,
  type RunDirectory,
  runsFolder,
} from './run-directory.ts';
import { say } from './say.ts';
import { remove, removeLeftovers } from './stop.ts';

/** A cluster with one node, wherever it comes from; plain data, so that it can be handed on. */
export type Cluster = {
  /** File with the rights of cluster-admin. */
  kubeconfig: string;
  kubectl: string;
  helm: string;
  /** File that the API server appends one JSON object a line to, for every request answered. */
  auditLog: string;
  /** What to put before a command so that it runs on the node. */
  onNode: string[];
};

export type RunningCluster = {
  cluster: Cluster;
  /**
   * Builds the images of the shipped Dockerfile and loads them, with the tag "dev", and with the tag
   * "previous" those of the release whose tree is given; returns what changes with the content of ours.
   */
  loadImages(previous?: string): Promise<string>;
  stop(): Promise<void>;
};

/** The one run of a machine that has a node. */
const directory: RunDirectory = { path: join(runsFolder(), 'cluster') };

export type ClusterOptions = {
  /** Goes on with a cluster that was kept, and keeps it. Default: false. */
  reuse?: boolean;
};

/**
 * Starts a cluster whose one node is this machine: Linux, root, at most one at a time.
 * @throws Error in one sentence when the machine lacks something or has a cluster that is in use
 */
export async function startCluster({
  reuse = false,
}: ClusterOptions = {}): Promise<RunningCluster> {
  await requireMachine();
  const [kubectl] = await kubernetesPrograms(['kubectl']);
  const helm = await helmProgram();
  await removeLeftovers();
  await removePrevious(reuse);
  if (await isKept(directory)) {
    await own(directory);
  } else {
    await create();
    try {
      await startAll(reuse);
    } catch (error) {
      if (!reuse) await remove(directory);
      throw error;
    }
  }
  return {
    cluster: {
      kubeconfig: join(directory.path, 'admin.kubeconfig'),
      kubectl,
      helm,
      auditLog: join(directory.path, 'logs', 'audit.jsonl'),
      onNode: [],
    },
    loadImages: (previous) => loadImages(directory, previous),
    stop: async () => {
      if (!reuse) await remove(directory);
    },
  };
}

async function create(): Promise<void> {
  try {
    await createRunDirectory('cluster', { unique: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    throw new Error('Cannot start a cluster: another run has just started one on this machine');
  }
}

async function startAll(reuse: boolean): Promise<void> {
  await say('starting the cluster', async () => {
    await prepareNode(directory);
    const controlPlane = await startControlPlane({ address: nodeAddress, directory });
    await say('starting the node', () => startNode(controlPlane));
    await say('starting DNS', () => startDns(controlPlane));
  });
  if (reuse) await keep(directory);
}

/** @throws Error when another run has the machine's cluster now */
export async function requireNobody(): Promise<void> {
  const owner = await ownerOf(directory);
  if (owner === undefined) return;
  throw new Error(
    `Cannot start a cluster: one runs already, and process ${owner.pid} is using it; there is room for one on a machine`,
  );
}

async function removePrevious(reuse: boolean): Promise<void> {
  await requireNobody();
  if (!(await isKept(directory))) return;
  if (!reuse || !(await allRun(directory))) await remove(directory);
}
