import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificates } from '../../../controller/src/push/certificate.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { freePorts } from '../../cluster/ports.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { installGatewayApi } from '../../src/gateway-api.ts';
import { type Kubectl, kubectlOf } from '../../src/kubectl.ts';
import { answerOf, type ServingDataPlane, startDataPlane } from './data-plane.ts';
import { type Replica, type ReplicaSettings, startReplica } from './replica.ts';

export const namespace = 'gatehouse-system';
const crds = join(import.meta.dirname, '../../../charts/gatehouse/crds');

export interface FleetOptions {
  /** Without ours and those of the Gateway API. Default: both are installed. */
  withoutCrds?: boolean;
}

/**
 * An API server, one controller at a time and one data plane that serves what it is told, for what
 * goes wrong between them. The controller can be replaced; the data plane stays.
 */
export interface Fleet {
  controlPlane: ControlPlane;
  /** In the namespace of the release. */
  kubectl: Kubectl;
  folder: string;
  /** Ends the controller that runs and starts another one, which the data plane finds. */
  startController(
    given?: Partial<Pick<ReplicaSettings, 'kubeconfig' | 'environment'>>,
  ): Promise<Replica>;
  dataPlane: ServingDataPlane;
  /** What the data plane answers: the body, or the status when that is not 200. */
  ask(host: string, path?: string): Promise<string>;
  /** Waits until the data plane answers so. */
  answers(host: string, body: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startFleet({ withoutCrds = false }: FleetOptions = {}): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-'));
  const controlPlane = await startControlPlane();
  const all = kubectlOf(controlPlane);
  const kubectl = all.in(namespace);
  await all('create', 'namespace', namespace);
  await kubectl('create', 'serviceaccount', 'data-plane');
  const [httpPort = 0, grpcPort = 0, adminPort = 0] = await freePorts(3);
  if (!withoutCrds) {
    await installCrds(all);
    await installGatewayApi(all);
    await kubectl.apply([gatewayClass, gatewayOf('main', httpPort)]);
  }
  const { ca, certificate, key } = await createCertificates(['127.0.0.1']);
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const caFile = await file('ca.crt', ca);
  const tls = [
    ...['--tls-cert', await file('tls.crt', certificate)],
    ...['--tls-key', await file('tls.key', key)],
  ];
  const token = await kubectl('create', 'token', 'data-plane', '--audience=gatehouse');
  const dataPlane = await startDataPlane({
    ...{ name: 'gw-1', grpcPort, caFile, token: token.trim(), folder },
  });
  let controller: Replica | undefined;
  const ask = (host: string, path = '/') => answerOf(`http://${host}${path}`, httpPort);
  return {
    controlPlane,
    kubectl,
    folder,
    dataPlane,
    async startController({ kubeconfig = controlPlane.kubeconfig, environment = {} } = {}) {
      await controller?.stop();
      const ports = [
        ...['--grpc-port', String(grpcPort), '--admin-port', String(adminPort)],
        // That of the listener which is there without a Gateway.
        ...['--http-port', String(httpPort)],
      ];
      controller = await startReplica('c-1', {
        kubeconfig,
        folder,
        args: [...ports, ...tls],
        environment,
        ca,
      });
      return controller;
    },
    ask,
    async answers(host, body) {
      await waitFor(`"${body}" from ${host}`, async () => (await ask(host)) === body);
    },
    async stop() {
      await controller?.stop();
      await dataPlane.stop();
      await controlPlane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function installCrds(kubectl: Kubectl): Promise<void> {
  await kubectl('apply', '--server-side', '--force-conflicts', '--filename', crds);
  await kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
}

const gatewayClass = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'gatehouse' },
  spec: { controllerName: 'gatehouse.dev/gateway-controller' },
};

/** A Gateway with one HTTP listener, for Routes of every namespace. */
export function gatewayOf(name: string, port: number) {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: {
      gatewayClassName: 'gatehouse',
      listeners: [
        { name: 'http', port, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
      ],
    },
  };
}

/** A Route that answers by itself. */
export function answering(name: string, host: string, body: string) {
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Route',
    metadata: { name },
    spec: { hostnames: [host], rules: [{ name: 'all', respond: { status: 200, body } }] },
  };
}

/** Waits for a message of a log in which there is `text`; only those after the first `from` count. */
export function line(log: readonly string[], text: string, from = 0): Promise<string> {
  return waitFor(`"${text}" in the log`, () =>
    log
      .slice(from)
      .map(messageOf)
      .find((message) => message.includes(text)),
  );
}

/** Logs are JSON, all but what a program prints as it ends. */
function messageOf(text: string): string {
  if (!text.startsWith('{')) return text;
  const { msg } = JSON.parse(text) as { msg?: string };
  return msg ?? '';
}
