import { hex, type Key, type ResourceSet } from '@gatehouse/snapshot';
import type { Compiled } from '../../compile/index.ts';
import { fieldsOf, type Progress, reportedKinds } from '../../providers/kubernetes/index.ts';
import type { RefusedBy } from '../../push/effective.ts';
import type { FleetView, LaneView } from '../../push/fleet.ts';
import type { History } from './history.ts';

/** What a data plane serves of one lane, in the terms of the cluster and not of a snapshot. */
export interface LaneReport {
  /** All that was seen up to here; null when that cannot be told. */
  upTo: Progress | null;
  /** Resources that it serves otherwise or not at all. */
  except: readonly Key[];
  /** Why it refused its last update as a whole. */
  refused?: string;
}

export interface DataPlaneReport {
  node: string;
  config: LaneReport;
  endpoints: LaneReport;
}

/**
 * What a replica knows of its data planes. Replicas of two releases, or in the middle of a burst, do
 * not compile the same snapshots; what they saw of the cluster can be compared all the same.
 */
export interface Report {
  format: 1;
  dataPlanes: readonly DataPlaneReport[];
  /** Refused resources, of what was compiled of `at`. */
  heldBack: readonly { key: Key; by: readonly RefusedBy[] }[];
  /** Resources that do not work at run time; none in a report of an older release. */
  troubles?: readonly { key: Key; by: readonly RefusedBy[] }[];
  at: Progress;
}

/** A data plane that differs in more resources is not said to serve anything. */
const mostExceptions = 200;

export function reportOf(
  { dataPlanes, heldBack, troubles }: FleetView,
  compiled: Compiled,
  history: { config: History; endpoints: History },
): Report {
  const { config, configVersion, endpoints, endpointsVersion } = compiled;
  return {
    format: 1,
    dataPlanes: dataPlanes.map(({ node, config: first, endpoints: second }) => ({
      node,
      config: laneReport(first, config, configVersion, history.config),
      endpoints: laneReport(second, endpoints, endpointsVersion, history.endpoints),
    })),
    heldBack: [...heldBack].map(([key, by]) => ({ key, by })),
    troubles: [...troubles].map(([key, by]) => ({ key, by })),
    at: history.config.of(configVersion) ?? {},
  };
}

function laneReport(
  { version, manifest, refused }: LaneView,
  compiled: ResourceSet,
  compiledVersion: string,
  history: History,
): LaneReport {
  const why = refused === undefined ? {} : { refused: refused.reason };
  const known = history.of(version);
  if (known) return { upTo: reported(known), except: [], ...why };
  const except: Key[] = [];
  for (const [key, { hash }] of compiled) {
    if (manifest.get(key) === hex(hash)) continue;
    except.push(key);
    if (except.length > mostExceptions) return { upTo: null, except: [], ...why };
  }
  return { upTo: reported(history.of(compiledVersion) ?? {}), except, ...why };
}

function reported(progress: Progress): Progress {
  return Object.fromEntries(
    Object.entries(progress).filter(([key]) => reportedKinds.has(key.split('/')[0] ?? '')),
  );
}

/**
 * Reads the report of another replica. One that cannot be read stands for data planes of which nothing
 * is known, so that nothing is called programmed which may not be.
 */
export function readReport(replica: string, text: string): Report {
  const nothing: LaneReport = { upTo: null, except: [] };
  const unreadable: Report = {
    format: 1,
    dataPlanes: [{ node: `those of ${replica}`, config: nothing, endpoints: nothing }],
    heldBack: [],
    at: {},
  };
  try {
    const report: unknown = JSON.parse(text);
    return fieldsOf(report).format === 1 ? (report as Report) : unreadable;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return unreadable;
  }
}
