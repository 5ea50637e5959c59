import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseAllDocuments, stringify } from 'yaml';
import { helmProgram } from '../e2e/cluster/binaries.ts';
import { versions } from '../e2e/cluster/versions.ts';

export const chart = join(import.meta.dirname, 'gatehouse');
export const gatewayApi = 'gateway.networking.k8s.io/v1/Gateway';

/** An object of Kubernetes as the chart renders it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

export interface RenderOptions {
  values?: object;
  /** What the cluster serves beside Kubernetes itself, as "group/version/Kind". */
  apis?: readonly string[];
  release?: string;
}

export type Output = { code: number; stdout: string; stderr: string };

/** Runs helm: that of $HELM, else the one that the e2e suites use. */
export async function helm(args: readonly string[], input = ''): Promise<Output> {
  const program = process.env.HELM || (await helmProgram());
  const child = spawn(program, args, { stdio: 'pipe' });
  const ended = once(child, 'close');
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await ended) as [number];
  return { code, stdout, stderr };
}

export function template({ values = {}, apis = [], release = 'gatehouse' }: RenderOptions = {}) {
  const args = ['template', release, chart, '--namespace', 'gatehouse-system', '--values', '-'];
  const cluster = ['--kube-version', versions.kubernetes, ...apis.flatMap((a) => ['-a', a])];
  return helm([...args, ...cluster], stringify(values));
}

/** @throws Error with what helm says. */
export async function render(options?: RenderOptions): Promise<Manifest[]> {
  const { code, stdout, stderr } = await template(options);
  if (code !== 0) throw new Error(`Cannot render the chart: ${stderr}`);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null);
}

/** @throws Error when there is none. */
export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`The chart renders no ${kind} "${name}"`);
  return found;
}

export interface Container {
  name: string;
  image: string;
  args: string[];
  env: { name: string; value?: string; valueFrom?: object }[];
  securityContext: object;
  resources: { requests: object; limits: object };
  ports: { name: string; containerPort: number; hostPort?: number }[];
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}

export interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: { sysctls?: object[] } & Record<string, unknown>;
  containers: [Container, ...Container[]];
  initContainers?: Container[];
  volumes: { name: string; [source: string]: unknown }[];
  topologySpreadConstraints: object[];
}

/** What runs: the pods of Deployments and those that stand alone. */
export function podsOf(objects: readonly Manifest[]): { owner: string; spec: PodSpec }[] {
  return objects.flatMap((object) => {
    const owner = `${object.kind} ${object.metadata.name}`;
    if (object.kind === 'Pod') return [{ owner, spec: object.spec as PodSpec }];
    const { template } = (object.spec ?? {}) as { template?: { spec: PodSpec } };
    return template === undefined ? [] : [{ owner, spec: template.spec }];
  });
}

export function podOf(objects: readonly Manifest[], owner: string): PodSpec {
  const pod = podsOf(objects).find((one) => one.owner === owner);
  if (pod === undefined) throw new Error(`The chart renders no ${owner}`);
  return pod.spec;
}
