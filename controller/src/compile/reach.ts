import { missingGrant, type Permits, type Referred, type Referrer } from './grants.ts';
import type { Namespaces } from './namespaces.ts';

/** What decides whether a reference may be followed. */
export type Reach = Pick<Namespaces, 'isAbsent'> & { permits: Permits };

/** Why a reference leads nowhere. */
export type Lack = 'not permitted' | 'no namespace' | 'no object';

/**
 * The object that is referred to, out of those of its kind by "<namespace>/<name>". Whoever may not
 * refer to an object does not learn whether it exists (Gateway API, ReferenceGrant).
 */
export function reached<T extends object>(
  from: Referrer,
  to: Referred,
  objects: ReadonlyMap<string, T>,
  { permits, isAbsent }: Reach,
): T | Lack {
  if (to.namespace !== from.namespace && !permits(from, to)) return 'not permitted';
  return objects.get(to.id) ?? (isAbsent(to.namespace) ? 'no namespace' : 'no object');
}

/** Names what is missing, and the remedy where it is not plain. */
export function lackText(lack: Lack, from: Referrer, to: Referred): string {
  const missing = `${to.kind} "${to.id}" does not exist`;
  switch (lack) {
    case 'not permitted':
      return missingGrant(from, to);
    case 'no namespace':
      return `${missing}, nor does namespace "${to.namespace}": create both, or remove the reference`;
    case 'no object':
      return missing;
  }
}
