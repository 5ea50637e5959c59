import type { Compiled } from '../compile/index.ts';
import type { DiscoveryView } from '../providers/discovery/index.ts';
import { type FileProblem, printProblem } from '../providers/file/index.ts';
import type { FleetView, LaneView } from '../push/fleet.ts';
import { statusOf } from '../status/programmed.ts';
import { discoveryMetrics } from './discovery-metrics.ts';
import { counter, gauge, type Metric, metricsText, processMetrics } from './metrics.ts';
import type { AdminRoutes } from './server.ts';

/** What the admin port tells about. */
export interface AdminSource {
  /** Undefined until the first compile. */
  compiled(): Compiled | undefined;
  /** What is missing before data planes can be served; empty when the controller is ready. */
  waiting(): string[];
  /** When the certificate of the gRPC server ends, in seconds since the epoch. */
  certificateExpiry(): number | undefined;
  fleet(): FleetView;
  problems(): FileProblem[];
  /** Upstreams whose endpoints come from Consul or DNS. */
  discoveries(): DiscoveryView[];
  /** Compiles since the start and how long they took in all. */
  timing(): { count: number; seconds: number };
  /** Reads the files again and compiles. */
  reload(): Promise<FileProblem[]>;
}

export function adminRoutes(source: AdminSource): AdminRoutes {
  return {
    'GET /health': () => ({ body: { status: 'ok' } }),
    'GET /ready': () => {
      const waiting = source.waiting();
      if (waiting.length === 0) return { body: { status: 'ready' } };
      return { status: 503, body: { status: 'not ready yet', waiting } };
    },
    'GET /status': () => ({ body: statusBody(source) }),
    'GET /problems': () => ({ body: problemsBody(source.problems()) }),
    'POST /reload': async () => ({ body: problemsBody(await source.reload()) }),
    'GET /metrics': () => ({ text: metricsText([...metricsOf(source), ...processMetrics()]) }),
  };
}

function statusBody(source: AdminSource) {
  const compiled = source.compiled();
  const fleet = source.fleet();
  return {
    configVersion: compiled?.configVersion,
    endpointsVersion: compiled?.endpointsVersion,
    objects: compiled === undefined ? [] : statusOf(compiled, fleet),
    dataPlanes: fleet.dataPlanes.map(({ node, zone, release, config, endpoints }) => ({
      node,
      zone,
      release,
      config: laneBody(config),
      endpoints: laneBody(endpoints),
    })),
  };
}

function laneBody({ version, refused }: LaneView) {
  return { version, refused };
}

function problemsBody(problems: FileProblem[]) {
  return {
    problems: problems.map((problem) => ({ ...problem, text: printProblem(problem) })),
  };
}

function metricsOf(source: AdminSource): Metric[] {
  const { dataPlanes, heldBack, nacks } = source.fleet();
  const { count, seconds } = source.timing();
  const compiled = source.compiled();
  const expiry = source.certificateExpiry();
  return [
    {
      name: 'gatehouse_snapshot_info',
      help: 'Versions of the compiled snapshot.',
      type: 'gauge',
      samples:
        compiled === undefined
          ? []
          : [
              { labels: { lane: 'config', version: compiled.configVersion }, value: 1 },
              { labels: { lane: 'endpoints', version: compiled.endpointsVersion }, value: 1 },
            ],
    },
    {
      name: 'gatehouse_compile_duration_seconds',
      help: 'Time spent compiling.',
      type: 'summary',
      samples: [
        { suffix: '_sum', value: seconds },
        { suffix: '_count', value: count },
      ],
    },
    ...(expiry === undefined
      ? []
      : [
          gauge(
            'gatehouse_certificate_expiry_timestamp_seconds',
            'End of the certificate that data planes are served by.',
            expiry,
          ),
        ]),
    gauge('gatehouse_data_planes', 'Connected data planes.', dataPlanes.length),
    counter('gatehouse_nacks_total', 'Updates that a data plane refused.', nacks),
    gauge('gatehouse_held_back_resources', 'Resources held back after a refusal.', heldBack.size),
    ...discoveryMetrics(source.discoveries()),
  ];
}
