import type { Logger } from 'pino';
import { coalesce } from './coalesce.ts';
import type { Compiled } from './compile/index.ts';
import { type Election, elect } from './leader/elect.ts';
import { shareNotices } from './leader/notices.ts';
import type { ClusterOptions } from './options.ts';
import { apiServerOf, loadKubeConfig, watchCluster } from './providers/kubernetes/index.ts';
import type { Authenticate } from './push/authenticate.ts';
import type { Fleet } from './push/fleet.ts';
import { keepCertificate } from './push/kept-certificate.ts';
import type { Pair } from './push/pair.ts';
import { tokenReview } from './push/token-review.ts';
import { createDepartures } from './status/kubernetes/departures.ts';
import { readyPods, unreported } from './status/kubernetes/expected.ts';
import { createHistory } from './status/kubernetes/history.ts';
import { programmedBy } from './status/kubernetes/programmed-by.ts';
import { readReport, reportOf } from './status/kubernetes/report.ts';
import { createTargets } from './status/kubernetes/targets.ts';
import { createWriter } from './status/kubernetes/writer.ts';
import type { Store } from './store/store.ts';

/** What data planes make their tokens for. */
const audience = 'gatehouse';
/** Name of the Lease that the replica holds which writes statuses. */
const leaseName = 'gatehouse-controller-leader';
/** Least time between two looks at all statuses, in milliseconds, and their share of the time. */
const lookInterval = 100;
const lookShare = 0.1;
const tickInterval = 1000;

export interface ClusterParts {
  store: Store;
  fleet(): Fleet;
  /** Called with what the gRPC server is to serve, where the controllers keep that themselves. */
  useCertificate(pair: Pair): void;
  log: Logger;
}

export interface Cluster {
  authenticate: Authenticate;
  /** Resolves when all there is has been read once. */
  ready: Promise<void>;
  /** What it waits for. */
  waiting(): string[];
  /** A snapshot was made of all that is in the store. */
  compiled(snapshot: Compiled): void;
  /** What a data plane serves has changed. */
  fleetChanged(): void;
  close(): Promise<void>;
}

/**
 * The Kubernetes side of a controller: cluster -> store, and data planes -> statuses.
 * @throws when the cluster is not known.
 */
export function joinCluster(
  { cluster }: ClusterOptions,
  { store, fleet, useCertificate, log }: ClusterParts,
): Cluster {
  const { kubeconfig, namespaces, dataPlanes, dataPlaneService, podName, podUid, namespace } =
    cluster;
  const api = apiServerOf(loadKubeConfig(kubeconfig));
  const targetsOf = createTargets();
  const withDepartures = createDepartures();
  const history = { config: createHistory(), endpoints: createHistory() };
  let snapshot: Compiled | undefined;
  /** The store has changed since the snapshot was made. */
  let changed = false;
  let told = false;

  const look = coalesce(() => writer.look(), lookInterval, lookShare);
  const leave = store.subscribe(() => {
    changed = true;
  });
  const watch = watchCluster({ api, store, namespaces, log, onSeen: () => look.soon() });

  /** What was seen since the snapshot was made has changed nothing in it. */
  function noteProgress({ configVersion, endpointsVersion }: Compiled): void {
    const progress = watch.progress();
    history.config.note(configVersion, progress);
    history.endpoints.note(endpointsVersion, progress);
  }

  function report() {
    if (snapshot === undefined) return undefined;
    if (!changed) noteProgress(snapshot);
    return withDepartures(reportOf(fleet().view(), snapshot, history));
  }

  /**
   * Tells data planes how many they are: all that take requests, connected to whichever replica or to
   * none; where nobody says which Pods these are, those that are connected.
   */
  const recount = coalesce(countDataPlanes, lookInterval, lookShare);
  function countDataPlanes() {
    const pods =
      dataPlaneService === undefined
        ? []
        : readyPods(store.list('EndpointSlice'), dataPlaneService);
    const nodes = new Set(
      fleet()
        .view()
        .dataPlanes.map(({ node }) => node),
    );
    for (const [replica, text] of notices.others()) {
      for (const { node } of readReport(replica, text).dataPlanes) nodes.add(node);
    }
    fleet().count(pods.length || nodes.size);
  }

  const notices = shareNotices({
    api,
    namespace,
    replica: podName,
    podUid,
    text: () => JSON.stringify(report() ?? null),
    onChange() {
      look.soon();
      recount.soon();
    },
    log,
  });
  void notices.ready.then(() => {
    told = true;
    look.soon();
  });

  const writer = createWriter({
    api,
    leads: () => election.leads(),
    log,
    targets() {
      const own = report();
      if (snapshot === undefined || own === undefined || !told) return undefined;
      const others = [...notices.others()].filter(([, text]) => text !== 'null');
      const reports = [own, ...others.map(([replica, text]) => readReport(replica, text))];
      if (dataPlaneService !== undefined) {
        const pods = readyPods(store.list('EndpointSlice'), dataPlaneService);
        reports.push(unreported(pods, reports));
      }
      return targetsOf(watch, snapshot.statuses, programmedBy(reports));
    },
  });

  const election: Election = cluster.elect
    ? elect({
        api,
        namespace,
        name: leaseName,
        identity: podName,
        onChange() {
          look.soon();
          certificate?.look();
        },
        log,
      })
    : { leads: () => true, close: async () => undefined };

  const kept = cluster.certificate;
  const certificate =
    kept &&
    keepCertificate({
      api,
      namespace,
      secret: kept.secret,
      configMap: kept.caConfigMap,
      hosts: kept.hosts,
      leads: () => election.leads(),
      use: useCertificate,
      log,
    });

  // What is known of data planes and replicas that are gone passes with time alone.
  const tick = setInterval(() => {
    notices.soon();
    look.soon();
    recount.soon();
  }, tickInterval);

  return {
    authenticate: tokenReview({
      api,
      serviceAccounts: dataPlanes,
      audience,
      onFault: (reason) => log.warn(reason),
    }),
    ready: watch.ready,
    waiting: watch.waiting,
    compiled(next) {
      snapshot = next;
      changed = false;
      noteProgress(next);
      notices.soon();
      look.soon();
    },
    fleetChanged() {
      notices.soon();
      look.soon();
      recount.soon();
    },
    async close() {
      leave();
      clearInterval(tick);
      look.stop();
      recount.stop();
      // Whoever leads next must not find a write of this replica under way.
      await Promise.all([writer.close(), certificate?.close()]);
      await Promise.all([election.close(), notices.close(), watch.close()]);
      api.close();
    },
  };
}
