import type { ObjectStatus } from '../../compile/index.ts';
import {
  type ClusterWatch,
  gatewayClassResource,
  type Resource,
  storedResources,
} from '../../providers/kubernetes/index.ts';
import { objectKey } from '../../store/key.ts';
import { sameConditions, written } from './conditions.ts';
import { unsoundStatus, withTroubles } from './overlay.ts';
import type { Judge } from './programmed-by.ts';
import { wantedStatus } from './wanted.ts';
import type { Target } from './writer.ts';

type Watched = Pick<ClusterWatch, 'seen' | 'classes' | 'secretTroubles'>;

const resources = new Map<string, Resource>(storedResources.map((one) => [one.kind, one]));

/**
 * Every object of the cluster whose status can be told now: those that changed since the last compile
 * are left out, as their status is about to be another.
 */
export function* targetsOf(
  watched: Watched,
  statuses: readonly ObjectStatus[],
  judge: Judge,
): Generator<Target> {
  const compiled = new Map(
    statuses.map((status) => [objectKey(status.kind, status.namespace, status.name), status]),
  );
  const troubles = watched.secretTroubles();
  const trouble = [...troubles.values()].join();
  for (const [key, seen] of watched.seen) {
    const found = compiled.get(key);
    const sound = seen.problems.length === 0;
    if (sound && found?.generation !== seen.generation) continue;
    const status = sound && found ? withTroubles(found, troubles) : unsoundStatus(key, seen, found);
    const programmed = judge(status, seen.version);
    const resource = resources.get(status.kind);
    if (!resource) continue;
    yield {
      key,
      resource,
      namespace: status.namespace,
      name: status.name,
      uid: seen.uid,
      version: seen.latest,
      present: seen.status,
      basis: [
        found,
        seen.generation,
        seen.problems,
        programmed.reason,
        programmed.message,
        trouble,
      ],
      wanted: (present) => wantedStatus(status, programmed, present, timeNow()),
    };
  }
  yield* watched.classes().map(
    ({ name, uid, generation, version, status }): Target => ({
      key: `GatewayClass/${name}`,
      resource: gatewayClassResource,
      namespace: undefined,
      name,
      uid,
      version,
      present: status,
      basis: [generation],
      wanted(present) {
        const { conditions: before } = (present ?? {}) as { conditions?: unknown };
        const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' };
        const conditions = written([accepted], before, generation, timeNow());
        return { status: { conditions }, same: sameConditions(conditions, before), urgency: 'now' };
      },
    }),
  );
}

/** RFC 3339 without fractions, as metav1.Time has it. */
function timeNow(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
