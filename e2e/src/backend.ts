import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseImage } from '../cluster/base-image.ts';

export type Backend = {
  name: string;
  /** What it answers with. */
  version: string;
  replicas?: number;
  /** Milliseconds that it serves on after SIGTERM. Default: 3,000. */
  lingerMs?: number;
};

const program = join(import.meta.dirname, '../fixtures/backend.ts');

/** Objects of a backend: its program in a ConfigMap, a Deployment and a Service with port 80. */
export async function backendObjects({ name, version, replicas = 2, lingerMs = 3000 }: Backend) {
  const labels = { app: name };
  const container = {
    name: 'backend',
    image: baseImage,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/backend/backend.ts'],
    env: [
      { name: 'VERSION', value: version },
      { name: 'LINGER_MS', value: String(lingerMs) },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
    resources: { requests: { cpu: '20m', memory: '48Mi' } },
    volumeMounts: [{ name: 'program', mountPath: '/backend' }],
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${name}-program` },
      data: { 'backend.ts': await readFile(program, 'utf8') },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            enableServiceLinks: false,
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: Math.ceil(lingerMs / 1000) + 5,
            containers: [container],
            volumes: [{ name: 'program', configMap: { name: `${name}-program` } }],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
}
