import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type ControlPlane, startControlPlane } from '../../e2e/cluster/control-plane.ts';
import { gatewayApiCrds } from '../../e2e/cluster/gateway-api.ts';
import { freePorts } from '../../e2e/cluster/ports.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { namespace } from './objects.ts';
import { type Program, startProgram } from './program.ts';

const root = join(import.meta.dirname, '../..');
/** What the images give Node, with the memory limit of the chart, 512 MiB, in place of a share of it. */
const nodeFlags = {
  controller: ['--max-old-space-size=205'],
  dataPlane: ['--max-old-space-size=205'],
};
export type Replica = Program & { grpcPort: number; adminPort: number };
export type DataPlane = Program & { host: string; adminPort: number };

/** A control plane of Kubernetes, and a way to start what is measured beside it. */
export type Stage = {
  controlPlane: ControlPlane;
  api: ApiClient;
  /** Of the Gateway's listener. */
  port: number;
  backend: Program & { port: number };
  startController(name: string): Promise<Replica>;
  /** @param index which address of the loopback network it listens on, and which file it keeps. */
  startDataPlane(index: number, controller: { grpcPort: number; name: string }): Promise<DataPlane>;
  stop(): Promise<void>;
};

/**
 * @param programs folder of the bundles.
 * @param profile folder for CPU profiles, which programs write when they end in order.
 * @throws Error in one sentence when the machine lacks something.
 */
export async function setStage(programs: string, profile?: string): Promise<Stage> {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const lastSignal = profile === undefined ? 'SIGKILL' : 'SIGTERM';
  const program = (name: string) => join(resolve(root, programs), name);
  await access(program('controller.mjs')).catch(() => {
    throw new Error(`Cannot measure: "${programs}" has no programs; run "npm run build"`);
  });
  const controlPlane = await startControlPlane();
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-config-'));
  const running = new Set<Program>();
  const kubectl = async (...args: string[]) => {
    const flags = ['--kubeconfig', controlPlane.kubeconfig];
    const { stdout } = await promisify(execFile)(controlPlane.kubectl, [...flags, ...args]);
    return stdout.trim();
  };

  async function start(name: string, args: string[], environment = {}): Promise<Program> {
    const started = await startProgram(name, args, environment);
    running.add(started);
    return {
      ...started,
      async stop(signal) {
        await started.stop(signal);
        running.delete(started);
      },
    };
  }

  async function stop(): Promise<void> {
    await Promise.all([...running].map((one) => one.stop(lastSignal)));
    await controlPlane.stop();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const crds = [join(root, 'charts/gatehouse/crds'), await gatewayApiCrds()];
    await kubectl('apply', '--server-side', ...crds.flatMap((crd) => ['--filename', crd]));
    await kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
    await kubectl('create', 'namespace', namespace);
    await kubectl('create', 'serviceaccount', 'data-plane', '--namespace', namespace);
    const token = await kubectl(
      ...['create', 'token', 'data-plane', '--namespace', namespace],
      ...['--audience', 'gatehouse', '--duration', '1h'],
    );
    const [port = 0] = await freePorts(1);
    const backend = await start('backend', [join(import.meta.dirname, 'backend.ts')]);
    const listening = await backend.message<{ port: number }>('listening');
    return {
      controlPlane,
      api: await apiClient(controlPlane.kubeconfig),
      port,
      backend: { ...backend, port: listening.port },
      async startController(name) {
        const controller = await start(name, [
          ...nodeFlags.controller,
          ...profiling,
          program('controller.mjs'),
          ...['--kubernetes', '--kubeconfig', controlPlane.kubeconfig, '--pod-name', name],
          ...['--namespace', namespace, '--tls-ca-out', join(folder, `${name}.pem`)],
          ...['--data-plane-service-account', `${namespace}/data-plane`],
          ...['--grpc-port', '0', '--admin-port', '0', '--log-level', 'warn'],
        ]);
        const ports = await controller.message<{ grpcPort: number; adminPort: number }>(
          'listening',
        );
        return { ...controller, ...ports };
      },
      async startDataPlane(index, controller) {
        const host = `127.0.0.${index}`;
        const dataPlane = await start(
          `data plane ${index}`,
          [
            ...nodeFlags.dataPlane,
            ...profiling,
            program('dataplane.mjs'),
            ...['--controller', `https://127.0.0.1:${controller.grpcPort}`],
            ...['--ca-file', join(folder, `${controller.name}.pem`), '--node', `gw-${index}`],
            ...['--host', host, '--admin-port', '0', '--log-level', 'warn'],
            ...['--last-known-good', join(folder, `last-known-good-${index}`)],
          ],
          { GATEHOUSE_TOKEN: token },
        );
        const { adminPort } = await dataPlane.message<{ adminPort: number }>('listening');
        return { ...dataPlane, host, adminPort };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
