import { readFile } from 'node:fs/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { Kind, Lane, ListenerSchema, type ResourceSet } from '@gatehouse/snapshot';
import type { Logger } from 'pino';
import { startAdmin } from './admin/admin.ts';
import type { DataPlaneOptions } from './options.ts';
import { type CertificateProblem, watchCertificates } from './server/tls/certificate-watch.ts';
import type { Applied, Apply } from './subscribe/lanes.ts';
import { openLastKnownGood } from './subscribe/last-known-good.ts';
import { subscribe } from './subscribe/subscribe.ts';
import { processMetrics } from './telemetry/process-metrics.ts';
import { prometheusText } from './telemetry/prometheus.ts';
import { Oversight } from './upstreams/oversight/oversight.ts';
import { type FleetOptions, startWorkers } from './workers/fleet.ts';

export type DataPlane = {
  adminPort: number;
  /** Resolves when the first complete snapshot is served, with the ports that are open by it. */
  ready: Promise<number[]>;
  /** Why the last snapshot was refused; undefined when it was not. */
  refused(): string | undefined;
  /**
   * Takes back readiness, serves on for the drain delay while responses ask clients to connect anew,
   * drains and ends. Called again it cuts the delay short.
   */
  close(): Promise<void>;
};

const release = '0.1.0';

/** Wires a data plane: controller -> lanes -> worker threads, with the last known good config beside. */
export async function run(options: DataPlaneOptions, log: Logger): Promise<DataPlane> {
  const { host, zone, workers: count, limits } = options;
  const { caFile } = options;
  const workers = startWorkers({
    count,
    host,
    zone,
    limits,
    logLevel: options.logLevel,
    accessLog: options.accessLog,
    log,
    onHealth(problems) {
      troubles = problems;
      tellHealth();
    },
  });
  let troubles: Parameters<NonNullable<FleetOptions['onHealth']>>[0] = [];
  let certificateProblems: readonly CertificateProblem[] = [];
  const tellHealth = () => subscription.tellHealth([...troubles, ...certificateProblems]);
  const certificates = watchCertificates((problems) => {
    certificateProblems = problems;
    for (const { name, reason } of problems) log.warn({ secret: name }, `A certificate: ${reason}`);
    tellHealth();
  });
  const oversight = new Oversight({
    ...workers.overseen,
    report: ({ bad, text, ...fields }) => (bad ? log.warn(fields, text) : log.info(fields, text)),
  });
  const lkg =
    options.lastKnownGood === undefined
      ? undefined
      : openLastKnownGood(options.lastKnownGood, { log });
  const held = await lkg?.load();
  let replicas = held?.replicas ?? 0;
  if (replicas > 0) workers.setReplicas(replicas);
  let config: ResourceSet = new Map();
  let endpoints: ResourceSet = new Map();
  const applied = new Set<Lane>();
  let serving = false;
  let closing = false;
  const ready = Promise.withResolvers<number[]>();

  const apply: Apply = async (lane, next, change): Promise<Applied> => {
    const refusals = await workers.apply(lane, next, change);
    if (refusals.length > 0) return { ok: false, refusals };
    if (lane === Lane.CONFIG) config = next;
    else endpoints = next;
    if (lane === Lane.CONFIG) {
      oversight.useConfig(config);
      certificates.use(config);
    } else oversight.useEndpoints(endpoints);
    applied.add(lane);
    if (applied.size === 2 && !serving) {
      serving = true;
      ready.resolve(portsOf(config));
    }
    if (serving) void lkg?.save(config, endpoints, replicas);
    return { ok: true };
  };

  const subscription = subscribe({
    url: options.controller,
    ca: caFile === undefined ? undefined : () => readFile(caFile, 'utf8'),
    token: tokenOf(options),
    node: options.node,
    zone,
    release,
    apply,
    held,
    onReplicas(told) {
      replicas = told;
      workers.setReplicas(told);
      if (serving) void lkg?.save(config, endpoints, replicas);
    },
    log,
  });

  // A controller that answers has newer config, and policies that the file may not know of yet.
  const fallback = setTimeout(async () => {
    if (serving || held === undefined) return;
    log.warn(
      { file: options.lastKnownGood },
      'No controller answers: serving the last known good config',
    );
    const refusals = await subscription.useHeld();
    if (refusals.length > 0) log.error({ refusals }, 'Cannot serve the last known good config');
  }, options.lastKnownGoodWait);

  const admin = await startAdmin(
    {
      config: () => config,
      endpoints: () => endpoints,
      ready: () => serving && !closing,
      metrics: () =>
        prometheusText(workers.regions, [
          ...processMetrics(subscription.state(), lkg?.state(), replicas),
          ...oversight.metrics(),
          ...certificates.metrics(),
        ]),
      breakers: () => oversight.breakers(),
      endpointState: (upstream, id) => oversight.endpoint(upstream, id),
      resetBreaker: (service) => oversight.reset(service),
      reload: () => subscription.resync(),
    },
    { host: options.adminHost, port: options.adminPort },
  );

  let closed: Promise<void> | undefined;
  const endDelay = Promise.withResolvers<void>();

  async function close() {
    closing = true;
    clearTimeout(fallback);
    if (serving) {
      await workers.leave();
      const timer = setTimeout(endDelay.resolve, options.drainDelay);
      await endDelay.promise;
      clearTimeout(timer);
    }
    oversight.close();
    certificates.close();
    await workers.close(options.drainTimeout);
    await subscription.close();
    await lkg?.close();
    await admin.close();
  }

  return {
    adminPort: admin.port,
    ready: ready.promise,
    refused: () => subscription.state().lastError,
    close() {
      if (closed === undefined) closed = close();
      else endDelay.resolve();
      return closed;
    },
  };
}

function portsOf(config: ResourceSet): number[] {
  const ports = new Set<number>();
  for (const { kind, body } of config.values()) {
    if (kind === Kind.LISTENER) ports.add(fromBinary(ListenerSchema, body).port);
  }
  return [...ports].sort((a, b) => a - b);
}

function tokenOf({ token, tokenFile }: DataPlaneOptions): string | (() => Promise<string>) {
  if (tokenFile !== undefined) return async () => (await readFile(tokenFile, 'utf8')).trim();
  return token ?? '';
}
