import type { ObjectStatus } from '../../compile/index.ts';
import {
  type ClusterWatch,
  fieldsOf,
  type GatewayClass,
  gatewayClassResource,
  type Resource,
  type Seen,
  storedResources,
} from '../../providers/kubernetes/index.ts';
import { type ObjectKey, objectKey } from '../../store/key.ts';
import type { Programmed } from '../programmed.ts';
import { sameConditions, written } from './conditions.ts';
import { unsoundStatus, withTroubles } from './overlay.ts';
import type { Judge } from './programmed-by.ts';
import { type Wanted, wantedStatus } from './wanted.ts';

/** An object whose status is ours to write; another one as soon as it should be another status. */
export interface Target {
  /** Unique. */
  key: string;
  resource: Resource;
  namespace: string | undefined;
  name: string;
  uid: string;
  /** resourceVersion with which it was seen last. */
  version: number;
  /** Its status as it was seen last. */
  present: unknown;
  /** What its status should be, given the present one. */
  wanted(present: unknown): Wanted;
}

type Watched = Pick<ClusterWatch, 'seen' | 'classes' | 'secretTroubles'>;
export type Targets = (
  watched: Watched,
  statuses: readonly ObjectStatus[],
  judge: Judge,
) => Iterable<Target>;

interface Made {
  found: ObjectStatus | undefined;
  seen: Seen;
  programmed: Programmed;
  troubles: string;
  target: Target;
}

/**
 * Every object of the cluster whose status can be told now: those that changed since the last compile
 * are left out, as their status is about to be another. What did not change is the very same target as
 * before.
 */
export function createTargets(): Targets {
  let made = new Map<ObjectKey, Made>();
  let classes = new Map<GatewayClass, Target>();
  const index = {
    of: undefined as readonly ObjectStatus[] | undefined,
    byKey: new Map<ObjectKey, ObjectStatus>(),
  };
  /** Texts that need not be put together at each compile. */
  const keys = new WeakMap<ObjectStatus, ObjectKey>();

  function keyOf(status: ObjectStatus): ObjectKey {
    const known = keys.get(status);
    if (known !== undefined) return known;
    const key = objectKey(status.kind, status.namespace, status.name);
    keys.set(status, key);
    return key;
  }

  return function* targets(watched, statuses, judge) {
    if (index.of !== statuses) {
      index.of = statuses;
      index.byKey = new Map(statuses.map((one) => [keyOf(one), one]));
    }
    const secrets = watched.secretTroubles();
    const troubles = [...secrets.values()].join();
    const next = new Map<ObjectKey, Made>();
    for (const [key, seen] of watched.seen) {
      const found = index.byKey.get(key);
      const sound = seen.problems.length === 0;
      if (sound && found?.generation !== seen.generation) continue;
      const before = made.get(key);
      const same = before?.found === found && before?.seen === seen && before.troubles === troubles;
      // Of a policy that is not sound its closed form may have been compiled.
      const status =
        found?.generation === seen.generation
          ? withTroubles(found, secrets)
          : unsoundStatus(key, seen, found);
      const programmed = judge(status, seen.version);
      if (same && isSame(before.programmed, programmed)) {
        next.set(key, before);
        yield before.target;
        continue;
      }
      const target = targetOf(key, seen, status, programmed);
      if (!target) continue;
      next.set(key, { found, seen, programmed, troubles, target });
      yield target;
    }
    made = next;
    const ours = watched.classes();
    classes = new Map(ours.map((one) => [one, classes.get(one) ?? classTarget(one)]));
    yield* classes.values();
  };
}

function isSame(a: Programmed, b: Programmed): boolean {
  return a === b || (a.reason === b.reason && a.message === b.message);
}

function targetOf(
  key: ObjectKey,
  seen: Seen,
  status: ObjectStatus,
  programmed: Programmed,
): Target | undefined {
  const resource = storedResources.find(({ kind }) => kind === status.kind);
  return (
    resource && {
      key,
      resource,
      namespace: status.namespace,
      name: status.name,
      uid: seen.uid,
      version: seen.latest,
      present: seen.status,
      wanted: (present) => wantedStatus(status, programmed, present, timeNow()),
    }
  );
}

function classTarget({ name, uid, generation, version, status }: GatewayClass): Target {
  const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' };
  return {
    key: `GatewayClass/${name}`,
    resource: gatewayClassResource,
    namespace: undefined,
    name,
    uid,
    version,
    present: status,
    wanted(present) {
      const before = fieldsOf(present).conditions;
      const conditions = written([accepted], before, generation, timeNow());
      return { status: { conditions }, same: sameConditions(conditions, before), urgency: 'now' };
    },
  };
}

/** RFC 3339 without fractions, as metav1.Time has it. */
function timeNow(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
