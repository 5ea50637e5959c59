import { clone, create, fromBinary } from '@bufbuild/protobuf';
import {
  byScopeOf,
  filterKinds,
  type RefusedResource,
  type Runtime,
  tryLink,
} from '@gatehouse/dataplane/explain';
import {
  emptySet,
  type Key,
  Kind,
  keyOf,
  Listener_Protocol,
  ListenerSchema,
  type Policy,
  PolicySchema,
  type Resource,
  type ResourceSet,
  resourceOf,
} from '@gatehouse/snapshot';
import type { ExplainedSnapshot } from './snapshot.ts';

/** A Policy resource, with the position of its kind in the order of filters. */
export type ScopedPolicy = { name: string; order: number; message: Policy };

/** A snapshot as a data plane would serve it. */
export type LinkedSnapshot = ExplainedSnapshot & {
  runtime: Runtime;
  /** By scope: "<listener>[/<route>[/<rule>]]". */
  policies: ReadonlyMap<string, readonly ScopedPolicy[]>;
};

/**
 * Links a snapshot as data planes do. What they would refuse is handled as the controller does when
 * nothing of it was accepted before: policies are closed, the rest is left out.
 * @throws Error when it cannot be linked at all.
 */
export function linkSnapshot(snapshot: ExplainedSnapshot): LinkedSnapshot {
  const { endpoints, redacted } = snapshot;
  const tried = redacted ? { config: snapshot.config, refused: [] } : withoutRefused(snapshot);
  const { config } = tried;
  const policies = [...config.values()]
    .filter(({ kind }) => kind === Kind.POLICY)
    .map(({ name, body }): ScopedPolicy => {
      const message = fromBinary(PolicySchema, body);
      const order = filterKinds.findIndex(({ kind }) => kind === message.kind);
      return { name, order, message };
    });
  const linked = tryLink(withoutSecrets(config), endpoints);
  if ('refusals' in linked) {
    const reasons = linked.refusals.map(refusalText).join('; ');
    throw new Error(`Cannot explain the snapshot: a data plane would refuse it: ${reasons}`);
  }
  return {
    ...snapshot,
    config,
    mistakes: [...snapshot.mistakes, ...tried.refused.map(refusalText)],
    runtime: linked.runtime,
    policies: byScopeOf(policies),
  };
}

function refusalText({ kind, name, path, reason }: RefusedResource): string {
  const noun = Kind[kind].charAt(0) + Kind[kind].slice(1).toLowerCase();
  return `${noun} ${name}: a data plane refuses it: ${path === '' ? '' : `${path}: `}${reason}`;
}

function withoutRefused({ config }: ExplainedSnapshot): {
  config: ResourceSet;
  refused: RefusedResource[];
} {
  const refused: RefusedResource[] = [];
  let current = config;
  while (true) {
    const linked = tryLink(current, emptySet);
    if (!('refusals' in linked)) return { config: current, refused };
    const next = new Map(current);
    for (const refusal of linked.refusals) {
      const key = keyOf(refusal.kind, refusal.name);
      const resource = next.get(key);
      if (!resource) continue;
      refused.push(refusal);
      if (resource.kind === Kind.POLICY) next.set(key, closed(resource, refusalReason(refusal)));
      else next.delete(key);
    }
    if (next.size === current.size && [...next].every(([key, one]) => current.get(key) === one)) {
      return { config: current, refused };
    }
    current = next;
  }
}

function refusalReason({ path, reason }: RefusedResource): string {
  return `a data plane refuses it: ${path === '' ? '' : `${path}: `}${reason}`;
}

/** A Policy whose scope answers 500. */
function closed({ name, body }: Resource, broken: string): Resource {
  const { kind, guardedHeaders } = fromBinary(PolicySchema, body);
  const message = create(PolicySchema, { kind, broken, guardedHeaders });
  return resourceOf(Kind.POLICY, name, PolicySchema, message);
}

/**
 * The same listeners, Routes and guarded headers with nothing that needs the content of a Secret: which
 * rules are in force is told from the Policy resources themselves.
 */
function withoutSecrets(config: ResourceSet): ResourceSet {
  const next = new Map<Key, Resource>();
  for (const [key, resource] of config) {
    if (resource.kind === Kind.SECRET) continue;
    if (resource.kind === Kind.POLICY) next.set(key, closed(resource, 'not linked'));
    else if (resource.kind !== Kind.LISTENER) next.set(key, resource);
    else {
      const listener = withoutCertificates(resource, config);
      if (listener) next.set(key, listener);
    }
  }
  return next;
}

/** Undefined when it is not served for want of a certificate. */
function withoutCertificates({ name, body }: Resource, config: ResourceSet): Resource | undefined {
  const listener = fromBinary(ListenerSchema, body);
  const { protocol, certificates, keptCertificates } = listener;
  const names = [...certificates, ...keptCertificates];
  const served = names.some((secret) => config.has(keyOf(Kind.SECRET, secret)));
  if (protocol === Listener_Protocol.HTTPS && !served) return undefined;
  const message = clone(ListenerSchema, listener);
  message.certificates = [];
  message.keptCertificates = [];
  return resourceOf(Kind.LISTENER, name, ListenerSchema, message);
}
