import {
  type AnyObject,
  defaults,
  knownFields,
  type Path,
  type Problem,
  validateObject,
} from '@gatehouse/crds';
import { type ObjectKey, objectKey } from '../../store/key.ts';
import { fieldsOf } from './api-fault.ts';
import { apiVersionOf, type storedResources } from './resources.ts';

/** An object of the API server, reduced to what is read of it. */
export interface Admitted {
  key: ObjectKey;
  uid: string;
  generation: number;
  /** resourceVersion; numbers that grow within a kind (KEP-5504). */
  version: number;
  /** Undefined when it has problems. */
  object: AnyObject | undefined;
  problems: Problem[];
  /** Fields of a newer release. */
  unknown: Path[];
  /** As it was written last; only of kinds whose status is written here. */
  status: unknown;
  /** Of a Gateway. */
  className: string | undefined;
}

/** Kinds whose status is written here. */
const reported = new Set<string>(['Route', 'Upstream', 'Gateway']);
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
  const validated = validateObject(value);
  const { gatewayClassName } = fieldsOf(rest.spec);
  return {
    key: objectKey(kind, text(namespace) ?? defaults.namespace, text(name) ?? ''),
    uid: text(uid) ?? '',
    generation: typeof generation === 'number' ? generation : 0,
    version: Number(text(resourceVersion) ?? 0),
    object: 'object' in validated ? validated.object : undefined,
    problems: 'object' in validated ? [] : validated.problems,
    unknown,
    status: reported.has(kind) ? status : undefined,
    className: kind === 'Gateway' ? text(gatewayClassName) : undefined,
  };
}

function annotationsOf(annotations: unknown): { annotations?: Record<string, unknown> } {
  const kept = Object.entries(fieldsOf(annotations)).filter(([key]) => !copies.has(key));
  return kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
