import { isDeepStrictEqual } from 'node:util';
import type { AncestorStatus, ObjectStatus } from '../../compile/index.ts';
import { controllerName, fieldsOf } from '../../providers/kubernetes/index.ts';
import type { Programmed } from '../programmed.ts';
import { conditionIn, sameConditions, type WrittenCondition, written } from './conditions.ts';

/** How soon a status is worth a write: at once, when it lasts for a moment, or for a while. */
export type Urgency = 'now' | 'soon' | 'patient';

/** The status that an object should have, and how it differs from the present one. */
export interface Wanted {
  status: Record<string, unknown>;
  same: boolean;
  urgency: Urgency;
}

const gatewayGroup = 'gateway.networking.k8s.io';
const ownGroup = 'gatehouse.dev';

/**
 * @param present the status that the object has now, whoever wrote it.
 * @param now RFC 3339.
 */
export function wantedStatus(
  status: ObjectStatus,
  programmed: Programmed,
  present: unknown,
  now: string,
): Wanted {
  const { generation, conditions: compiled } = status;
  const before = fieldsOf(present);
  const conditions = written([...compiled, programmed], before.conditions, generation, now);
  const parts = [
    ...(status.kind === 'Route' ? [parentsOf(status, before.parents, now)] : []),
    ...(status.ancestors ? [ancestorsOf(status, programmed, before, now)] : []),
    ...(status.kind === 'Gateway' ? [listenersOf(status, programmed, before.listeners, now)] : []),
  ];
  return {
    status: Object.assign({ conditions }, ...parts.map(({ fields }) => fields)),
    same: sameConditions(conditions, before.conditions) && parts.every(({ same }) => same),
    urgency: urgencyOf(programmed, conditions, before.conditions),
  };
}

/** What is pending is seldom so for long, and what is programmed seldom ceases to be. */
function urgencyOf(
  { reason }: Programmed,
  conditions: readonly WrittenCondition[],
  present: unknown,
): Urgency {
  if (reason !== 'Pending') return 'now';
  const others = conditions.filter(({ type }) => type !== 'Programmed');
  const [first] = conditions;
  const before = conditionIn(present, 'Programmed');
  const told = before?.observedGeneration === first?.observedGeneration;
  return told && sameConditions(others, present) ? 'patient' : 'soon';
}

/** Gateway API, RouteParentStatus. */
function parentsOf({ parents = [], generation }: ObjectStatus, present: unknown, now: string) {
  const list = Array.isArray(present) ? present.map(fieldsOf) : [];
  let same = list.length === parents.length;
  const next = parents.map(({ parentRef, conditions }) => {
    const ref = { group: gatewayGroup, kind: 'Gateway', ...parentRef };
    const before = list.find((one) => isDeepStrictEqual(one.parentRef, ref));
    const mine = written(conditions, before?.conditions, generation, now);
    same &&= before?.controllerName === controllerName && sameConditions(mine, before?.conditions);
    return { parentRef: ref, controllerName, conditions: mine };
  });
  return { fields: { parents: next }, same };
}

/** GEP-713, PolicyAncestorStatus, and what is in force at each target. */
function ancestorsOf(
  { ancestors = [], effective = [], generation }: ObjectStatus,
  programmed: Programmed,
  present: Record<string, unknown>,
  now: string,
) {
  const list = Array.isArray(present.ancestors) ? present.ancestors.map(fieldsOf) : [];
  let same = list.length === ancestors.length && isDeepStrictEqual(present.effective, effective);
  const next = ancestors.map(({ ancestorRef, conditions, unenforced }) => {
    const group = ancestorRef.kind === 'Gateway' ? gatewayGroup : ownGroup;
    const ref = { group, ...ancestorRef };
    const before = list.find((one) => isDeepStrictEqual(one.ancestorRef, ref));
    const enforced = enforcedOf(unenforced, programmed);
    const mine = written([...conditions, enforced], before?.conditions, generation, now);
    same &&= before?.controllerName === controllerName && sameConditions(mine, before?.conditions);
    return { ancestorRef: ref, controllerName, conditions: mine };
  });
  return { fields: { ancestors: next, effective }, same };
}

function enforcedOf(unenforced: AncestorStatus['unenforced'], programmed: Programmed) {
  const type = 'Enforced';
  if (unenforced) return { type, status: 'False', ...unenforced };
  const { status, reason, message } = programmed;
  return { type, status, reason: status === 'True' ? 'Enforced' : reason, message };
}

/** Gateway API, ListenerStatus. */
function listenersOf(
  { listeners = [], generation }: ObjectStatus,
  programmed: Programmed,
  present: unknown,
  now: string,
) {
  const list = Array.isArray(present) ? present.map(fieldsOf) : [];
  let same = list.length === listeners.length;
  const next = listeners.map(({ name, attachedRoutes, conditions }) => {
    const before = list.find((one) => one.name === name);
    const accepted = conditions.some(
      ({ type, status }) => type === 'Accepted' && status === 'True',
    );
    const own = accepted ? programmed : { ...programmed, status: 'False', reason: 'Invalid' };
    const mine = written([...conditions, own], before?.conditions, generation, now);
    same &&= before?.attachedRoutes === attachedRoutes && sameConditions(mine, before?.conditions);
    const supportedKinds = [{ group: 'gatehouse.dev', kind: 'Route' }];
    return { name, supportedKinds, attachedRoutes, conditions: mine };
  });
  return { fields: { listeners: next }, same };
}
