import type { NamespaceObject } from '@gatehouse/crds';
import type { AttachPoints } from './attach.ts';
import { type Labels, selects } from './selector.ts';

/** The API server gives every namespace this label, and keeps it. */
const nameLabel = 'kubernetes.io/metadata.name';

export type Namespaces = {
  /** Undefined when there is no such namespace, or it may not be read. */
  labelsOf(name: string): Labels | undefined;
  /** Whether it is known that there is no such namespace: with no namespace at all nothing is known. */
  isAbsent(name: string): boolean;
};

export function namespacesOf(objects: readonly NamespaceObject[]): Namespaces {
  const byName = new Map(objects.map((object) => [object.metadata.name, object]));
  return {
    labelsOf(name) {
      const object = byName.get(name);
      return object && { ...object.metadata.labels, [nameLabel]: name };
    },
    isAbsent: (name) => byName.size > 0 && !byName.has(name),
  };
}

/** Which listeners take the Routes of a namespace because of its labels. */
export type Selected = {
  /** Equal as long as the rest is. */
  text: string;
  /** Whether the labels of the namespace are known. */
  known: boolean;
  listeners: ReadonlySet<string>;
};

/** What the selectors of all listeners say, by namespace; each is asked once. */
export function selections(
  points: AttachPoints,
  namespaces: Namespaces,
): (namespace: string) => Selected {
  const choosy = [...points.values()].flat().filter(({ from }) => from === 'Selector');
  const none: Selected = { text: '', known: true, listeners: new Set() };
  if (choosy.length === 0) return () => none;
  const made = new Map<string, Selected>();
  return (namespace) => {
    let selected = made.get(namespace);
    if (selected === undefined) {
      const labels = namespaces.labelsOf(namespace);
      const ids = choosy
        .filter(({ selector }) => labels && selector && selects(selector, labels))
        .map(({ id }) => id)
        .sort();
      const known = labels !== undefined;
      selected = { text: `${known} ${ids.join()}`, known, listeners: new Set(ids) };
      made.set(namespace, selected);
    }
    return selected;
  };
}
