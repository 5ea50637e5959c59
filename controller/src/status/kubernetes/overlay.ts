import { pathText } from '@gatehouse/crds';
import { Kind, keyOf } from '@gatehouse/snapshot';
import type { Condition, ObjectStatus } from '../../compile/index.ts';
import { joined } from '../../compile/status.ts';
import type { Seen } from '../../providers/kubernetes/index.ts';
import type { ObjectKey } from '../../store/key.ts';

/** The status of an object whose present generation is not sound; the last good one is in use. */
export function unsoundStatus(
  key: ObjectKey,
  { generation, problems }: Seen,
  inUse: ObjectStatus | undefined,
): ObjectStatus {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  const kept = inUse
    ? [`generation ${inUse.generation}, the last good one, stays in use`]
    : ['nothing of it is in use'];
  const message = joined([
    ...problems.map(({ path, message }) => `${pathText(path)}: ${message}`),
    ...kept,
  ]);
  const accepted: Condition = { type: 'Accepted', status: 'False', reason: 'Invalid', message };
  const refused = (conditions: readonly Condition[]) => [
    accepted,
    ...conditions.filter(({ type }) => type !== 'Accepted'),
  ];
  const parents = inUse?.parents?.map((parent) => ({
    ...parent,
    conditions: refused(parent.conditions),
  }));
  return {
    ...inUse,
    ...(parents === undefined ? {} : { parents }),
    kind: kind as ObjectStatus['kind'],
    namespace,
    name,
    generation,
    conditions: refused(inUse?.conditions ?? []),
    resources: [],
  };
}

/** The status of a Gateway with what is wrong with Secrets whose last good content it serves. */
export function withTroubles(
  status: ObjectStatus,
  troubles: ReadonlyMap<string, string>,
): ObjectStatus {
  if (status.kind !== 'Gateway' || troubles.size === 0) return status;
  const used = new Set(status.resources);
  const found = [...troubles].filter(([id]) => used.has(keyOf(Kind.SECRET, id)));
  if (found.length === 0) return status;
  const message = (before: Condition) =>
    joined([...(before.message === '' ? [] : [before.message]), ...found.map(([, text]) => text)]);
  return {
    ...status,
    conditions: status.conditions.map((one) =>
      one.type === 'ResolvedRefs'
        ? { ...one, status: 'False', reason: 'InvalidCertificateRef', message: message(one) }
        : one,
    ),
  };
}
