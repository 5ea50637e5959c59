import { writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { adminRoutes } from './admin/routes.ts';
import { serveAdmin } from './admin/server.ts';
import type { Cluster } from './cluster.ts';
import { coalesce } from './coalesce.ts';
import { type Compiled, createCompiler } from './compile/index.ts';
import { portsOf, withHttpPort } from './listener-ports.ts';
import type { Options } from './options.ts';
import { type Discovery, discover } from './providers/discovery/index.ts';
import { type FileProblem, watchFolder } from './providers/file/index.ts';
import { type Authenticate, sharedToken } from './push/authenticate.ts';
import { followFiles } from './push/certificate-files.ts';
import { Fleet } from './push/fleet.ts';
import { datesOf, type Pair } from './push/pair.ts';
import { listen, type PushServer } from './push/server.ts';
import { resourcesOf } from './resources-of.ts';
import { statusOf } from './status/programmed.ts';
import { changedLines, type Summary, summaryOf } from './status/summary.ts';
import { createStore } from './store/store.ts';

/**
 * Least time between two compiles, in milliseconds, and their share of the time: a burst of events is one
 * change, and endpoints that change all the time leave the controller time for everything else.
 */
const compileInterval = 40;
const compileShare = 0.1;
/** Least time between two summaries, in milliseconds, and their share of the time. */
const summaryInterval = 100;
const summaryShare = 0.1;

/** The first snapshot waits so long for answers of Consul and DNS, in milliseconds. */
const discoveryPatience = 2000;

export interface Listeners {
  log: Logger;
  /** All mistakes in the folder, whenever they change. */
  onProblems(problems: FileProblem[]): void;
  /** Whenever the state of an object or the number of data planes changes; `lines` say what changed. */
  onSummary(summary: Summary, lines: string[]): void;
}

export interface Running {
  grpcPort: number;
  adminPort: number;
  /** Ports of the listeners of the first snapshot. */
  ports: number[];
  close(): Promise<void>;
}

/**
 * provider -> store -> compile -> push -> status.
 * @throws when a port, a file or the folder cannot be used.
 */
export async function run(
  options: Options,
  { log, onProblems, onSummary }: Listeners,
): Promise<Running> {
  await using started = new AsyncDisposableStack();
  const store = createStore();
  const compile = createCompiler();
  const timing = { count: 0, seconds: 0 };
  let compiled: Compiled | undefined;
  let problems: FileProblem[] = [];
  let shown: Summary | undefined;
  let cluster: Cluster | undefined;

  const summarise = coalesce(
    () => {
      // In a cluster statuses are read where they are written.
      if (compiled === undefined || cluster !== undefined) return;
      const fleetNow = fleet.view();
      const summary = summaryOf(compiled, fleetNow, statusOf(compiled, fleetNow));
      if (isDeepStrictEqual(summary, shown)) return;
      onSummary(summary, changedLines(shown, summary));
      shown = summary;
    },
    summaryInterval,
    summaryShare,
  );
  started.defer(() => summarise.stop());
  const fleet: Fleet = new Fleet(() => {
    summarise.soon();
    if (cluster) cluster.fleetChanged();
    else fleet.count(fleet.size);
  });

  const recompile = coalesce(
    () => {
      const begin = performance.now();
      try {
        const made = compile(resourcesOf(store));
        compiled = options.httpPort === undefined ? made : withHttpPort(made, options.httpPort);
      } catch (error) {
        log.error({ err: error }, 'Cannot compile; the last snapshot stays in use');
        return;
      }
      timing.count++;
      timing.seconds += (performance.now() - begin) / 1000;
      cluster?.compiled(compiled);
      fleet.publish(compiled);
    },
    compileInterval,
    compileShare,
  );
  started.defer(() => recompile.stop());

  let certificate: Pair | undefined;
  let push: PushServer | undefined;
  const useCertificate = (pair: Pair) => {
    certificate = pair;
    push?.use(pair);
  };

  let authenticate: Authenticate;
  if (options.cluster === undefined) {
    authenticate = sharedToken(options.token);
  } else {
    // Loaded only here: the client of Kubernetes costs a tenth of a second and 17 MiB.
    const { joinCluster } = await import('./cluster.ts');
    const joined = joinCluster(options, { store, fleet: () => fleet, useCertificate, log });
    started.defer(() => joined.close());
    authenticate = joined.authenticate;
    cluster = joined;
  }

  if (options.tls !== undefined) {
    const files = await followFiles({ ...options.tls, use: useCertificate, log });
    started.defer(() => files.close());
  } else if (options.cluster?.certificate === undefined) {
    useCertificate(await madeCertificate(options));
  }
  const grpc = await listen({
    fleet,
    host: options.grpcHost,
    port: options.grpcPort,
    ...certificate,
    authenticate,
    log,
  });
  started.defer(() => grpc.close());
  push = grpc;

  const folder =
    options.configFolder === undefined
      ? undefined
      : await watchFolder({
          folder: options.configFolder,
          store,
          onProblems(found) {
            problems = found;
            onProblems(found);
          },
          log: (line) => log.info(line),
        });
  if (folder) started.defer(() => folder.close());
  let discovery: Discovery | undefined;
  started.defer(() => discovery?.close());
  const subscription = { leave: () => {}, over: false };
  started.defer(() => {
    subscription.over = true;
    subscription.leave();
  });
  const follow = async () => {
    if (subscription.over) return;
    discovery = discover({ store, log });
    await discovery.begun(discoveryPatience);
    if (subscription.over) return;
    subscription.leave = store.subscribe(() => recompile.soon());
    recompile.soon();
    recompile.flush();
  };
  // A snapshot of a part would take away what data planes serve.
  if (cluster) void cluster.ready.then(follow);
  else await follow();

  const admin = await serveAdmin(
    {
      host: options.adminHost,
      port: options.adminPort,
      log: (error) => log.error({ err: error }, 'Cannot answer a request of the admin port'),
    },
    adminRoutes({
      compiled: () => compiled,
      waiting() {
        if (compiled === undefined) return ['the first compile', ...(cluster?.waiting() ?? [])];
        return certificate === undefined ? ['the certificate for data planes'] : [];
      },
      certificateExpiry: () => certificate && datesOf(certificate.certificate).notAfter / 1000,
      fleet: () => fleet.view(),
      problems: () => problems,
      discoveries: () => discovery?.view() ?? [],
      timing: () => timing,
      async reload() {
        const found = (await folder?.reload()) ?? [];
        recompile.flush();
        return found;
      },
    }),
  );
  started.defer(() => admin.close());

  const { port: grpcPort } = grpc;
  const resources = started.move();
  const ports = compiled === undefined ? [] : portsOf(compiled);
  return { grpcPort, adminPort: admin.port, ports, close: () => resources.disposeAsync() };
}

async function madeCertificate({ grpcHost, caOut }: Options): Promise<Pair> {
  // Loaded only here: it costs a tenth of a second.
  const { createCertificates } = await import('./push/certificate.ts');
  const { ca, certificate, key } = await createCertificates([
    ...new Set(['127.0.0.1', '::1', 'localhost', grpcHost]),
  ]);
  if (caOut !== undefined) await writeFile(caOut, ca);
  return { certificate, key };
}
