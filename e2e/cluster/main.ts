import { consulProgram, h2specProgram } from './binaries.ts';
import { startCluster } from './cluster.ts';
import { startControlPlane } from './control-plane.ts';
import { prepareCluster } from './prepare.ts';
import { keep } from './run-directory.ts';
import { removeLeftovers } from './stop.ts';

const usage = `Usage: node e2e/cluster/main.ts COMMAND

  prepare        build everything that a cluster needs, and keep it
  up             start a cluster on this machine, or go on with the one that was kept
  images         build the images of deploy/Dockerfile and load them into that cluster
  control-plane  start an API server without a node
  consul         build the Consul that tests of discovery start (Go, 4 minutes), and keep it
  h2spec         build the h2spec that tests HTTP/2 (Go, 15 seconds), and keep it
  down           stop what was started
  leftovers      stop what runs left that were cut off
`;

const commands: Record<string, () => Promise<void>> = {
  prepare: prepareCluster,
  async up() {
    tell((await startCluster({ reuse: true })).cluster);
  },
  async images() {
    const running = await startCluster({ reuse: true });
    process.stdout.write(`${await running.loadImages()}\n`);
  },
  async 'control-plane'() {
    const controlPlane = await startControlPlane();
    await keep(controlPlane.directory);
    tell(controlPlane);
  },
  async consul() {
    process.stdout.write(`${await consulProgram()}\n`);
  },
  async h2spec() {
    process.stdout.write(`${await h2specProgram()}\n`);
  },
  down: () => removeLeftovers({ kept: true }),
  leftovers: () => removeLeftovers(),
};

function tell({ kubeconfig, kubectl }: { kubeconfig: string; kubectl: string }): void {
  process.stdout.write(`export KUBECONFIG=${kubeconfig}\nalias kubectl=${kubectl}\n`);
}

const command = commands[process.argv[2] ?? ''];
if (command === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await command().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
