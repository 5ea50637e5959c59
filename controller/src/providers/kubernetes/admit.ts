import {
  type AnyObject,
  defaults,
  type Kind,
  knownFields,
  type Path,
  type Problem,
  unsoundPolicy,
  type Validated,
  validateObject,
} from '@gatehouse/crds';
import { type ObjectKey, objectKey } from '../../store/key.ts';
import { fieldsOf } from './api-fault.ts';
import { apiVersionOf, reportedKinds, type storedResources } from './resources.ts';

/** An object of the API server, reduced to what is read of it. */
export interface Admitted {
  key: ObjectKey;
  uid: string;
  generation: number;
  /** resourceVersion; numbers that grow within a kind (KEP-5504). */
  version: number;
  /** Undefined when it has problems. */
  object: AnyObject | undefined;
  /** Stands for a policy that has problems, so that what it protects is closed. */
  closed: AnyObject | undefined;
  problems: Problem[];
  /** Fields of a newer release. */
  unknown: Path[];
  /** As it was written last; only of kinds whose status is written here. */
  status: unknown;
  /** Of a Gateway. */
  className: string | undefined;
}

/** Copies of the whole object. */
const copies = new Set(['kubectl.kubernetes.io/last-applied-configuration']);

/** Checks an object and keeps only what Gatehouse reads, which bounds memory. */
export function admit(resource: (typeof storedResources)[number], raw: unknown): Admitted {
  const { kind } = resource;
  const { metadata, status, ...rest } = fieldsOf(raw);
  const { resourceVersion, uid, annotations, ...kept } = fieldsOf(metadata);
  const { name, namespace, generation } = kept;
  const { value, unknown } = knownFields(kind, {
    ...rest,
    // Lists of Kubernetes' own kinds do not repeat these in their items.
    apiVersion: apiVersionOf(resource),
    kind,
    metadata: { ...kept, ...annotationsOf(annotations) },
  });
  const validated = withoutUnknown(kind, unknown, validateObject(value));
  const { gatewayClassName } = fieldsOf(rest.spec);
  return {
    key: objectKey(kind, text(namespace) ?? defaults.namespace, text(name) ?? ''),
    uid: text(uid) ?? '',
    generation: typeof generation === 'number' ? generation : 0,
    version: Number(text(resourceVersion) ?? 0),
    object: 'object' in validated ? validated.object : undefined,
    closed: 'object' in validated ? undefined : unsoundPolicy(value, validated.problems),
    problems: 'object' in validated ? [] : validated.problems,
    unknown,
    status: reportedKinds.has(kind) ? status : undefined,
    className: kind === 'Gateway' ? text(gatewayClassName) : undefined,
  };
}

/** What a policy of a newer release demands beyond what is known here cannot be left out. */
function withoutUnknown(kind: Kind, unknown: readonly Path[], validated: Validated): Validated {
  if (kind !== 'AuthPolicy' || unknown.length === 0) return validated;
  const message = 'is not known to this release';
  return {
    problems: [
      ...('problems' in validated ? validated.problems : []),
      ...unknown.map((path) => ({ path, message })),
    ],
  };
}

function annotationsOf(annotations: unknown): { annotations?: Record<string, unknown> } {
  const kept = Object.entries(fieldsOf(annotations)).filter(([key]) => !copies.has(key));
  return kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
