import { defaults, type Kind } from '@gatehouse/crds';
import type { ObjectKey } from '../../store/key.ts';

/**
 * How far each watched collection was followed: the newest resourceVersion by "Kind/namespace", or
 * "Kind/" when all namespaces are watched as one. Versions grow within a kind (KEP-5504), so whoever
 * has reached the version of a change has seen it.
 */
export type Progress = Readonly<Record<string, number>>;

export function progressKey(kind: Kind, namespace: string | undefined): string {
  return `${kind}/${namespace ?? ''}`;
}

/** How far the collection that holds an object was followed; 0 when it is not watched. */
export function reached(progress: Progress, key: ObjectKey): number {
  const [kind = '', namespace = defaults.namespace] = key.split('/');
  return progress[`${kind}/`] ?? progress[`${kind}/${namespace}`] ?? 0;
}
