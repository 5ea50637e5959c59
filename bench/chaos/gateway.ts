import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from '../src/ports.ts';

const program = resolve(import.meta.dirname, '../../dist/gatehouse.mjs');

export const times = { request: 2000, try: 250 };

/** What the guide recommends for an upstream that must not fail; see docs/guide/resilience.md. */
function resources(ports: readonly number[]): string {
  const endpoints = ports.map((port) => `      - { address: 127.0.0.1, port: ${port} }`);
  return `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: chaos }
spec:
  rules:
    - name: all
      timeouts: { request: ${times.request}ms }
      backends: [{ kind: Upstream, name: chaos }]
      retries:
        attempts: 4
        on: [5xx]
        perTryTimeout: ${times.try}ms
        backOff: { initial: 5ms, max: 50ms }
        budget: { percent: 100, minimum: 100 }
---
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: chaos }
spec:
  endpoints:
    static:
${endpoints.join('\n')}
  connectTimeout: ${times.try}ms
  balancing: { algorithm: LeastRequest }
  outlierDetection:
    consecutiveErrors: 3
    consecutiveGatewayErrors: 3
    interval: 1s
    baseEjectionTime: 1s
    maxEjectionTime: 5s
    maxEjectedPercent: 50
  healthCheck:
    http: { path: /health }
    interval: 500ms
    timeout: ${times.try}ms
    unhealthyThreshold: 2
    healthyThreshold: 1
`;
}

/** A gateway as its users run it, in front of these endpoints. */
export type Gateway = {
  port: number;
  /** Text of its GET /metrics. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
};

export async function startGateway(
  endpoints: readonly number[],
  workers: number,
): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-chaos-'));
  await writeFile(join(folder, 'chaos.yaml'), resources(endpoints));
  const [port = 0, admin = 0] = await freePorts(2);
  const ports = ['--http-port', String(port), '--admin-port', String(admin)];
  const args = [program, 'dev', folder, ...ports, '--workers', String(workers)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let printed = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-4000);
  });
  await new Promise<void>((done, fail) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('ready ')) done();
    });
    void exited.then(() => fail(new Error(`Cannot start the gateway: ${printed}`)));
  });
  return {
    port,
    metrics: async () => (await fetch(`http://127.0.0.1:${admin}/metrics`)).text(),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
