import { fromBinary } from '@bufbuild/protobuf';
import {
  hex,
  Kind,
  keyOf,
  PolicySchema,
  type Resource,
  type ResourceSet,
  SecretSchema,
} from '@gatehouse/snapshot';
import { brokenPolicy } from '../filters/broken.ts';
import { type Filter, LinkFault } from '../filters/filter.ts';
import { Lifetime } from '../filters/lifetime.ts';
import { linkPolicy } from '../filters/policy-filter.ts';
import { filterKinds } from '../filters/registry.ts';
import type { ThreadState } from '../filters/thread-state.ts';
import type { RefusedResource } from './refusals.ts';

/** A Policy resource, ready for use. */
export type LinkedPolicy = {
  name: string;
  hash: string;
  filter: Filter;
  /** Position of its kind in the order of filters. */
  order: number;
  guarded: readonly string[];
  /** Hashes of the Secrets it has read, by name; "" for those that are missing. */
  secrets: ReadonlyMap<string, string>;
  /** Authorities, as PEM, of which clients are asked for certificates. */
  authorities: ReadonlySet<string>;
  lifetime: Lifetime;
};

export type LinkedPolicies = ReadonlyMap<string, LinkedPolicy>;

/** Links every Policy of the snapshot; those that did not change, nor their Secrets, are kept. */
export function linkPolicies(
  config: ResourceSet,
  thread: ThreadState,
  previous: LinkedPolicies | undefined,
  refusals: RefusedResource[],
): LinkedPolicies {
  const policies = new Map<string, LinkedPolicy>();
  for (const resource of config.values()) {
    if (resource.kind !== Kind.POLICY) continue;
    const known = previous?.get(resource.name);
    const kept = known && stillLinked(known, resource, config) ? known : undefined;
    const policy = kept ?? linkOne(resource, config, thread, refusals);
    if (policy) policies.set(resource.name, policy);
  }
  return policies;
}

function stillLinked(known: LinkedPolicy, resource: Resource, config: ResourceSet): boolean {
  if (known.hash !== hex(resource.hash)) return false;
  for (const [name, hash] of known.secrets) if (secretHash(config, name) !== hash) return false;
  return true;
}

function secretHash(config: ResourceSet, name: string): string {
  const resource = config.get(keyOf(Kind.SECRET, name));
  return resource ? hex(resource.hash) : '';
}

function linkOne(
  { name, hash, body }: Resource,
  config: ResourceSet,
  thread: ThreadState,
  refusals: RefusedResource[],
): LinkedPolicy | undefined {
  const policy = fromBinary(PolicySchema, body);
  const secrets = new Map<string, string>();
  const authorities = new Set<string>();
  const order = filterKinds.findIndex(({ kind }) => kind === policy.kind);
  const lifetime = new Lifetime();
  const guarded = policy.guardedHeaders;
  const linked = { name, hash: hex(hash), order, guarded, secrets, authorities, lifetime };
  // Understood whatever the kind: nothing of it has to be known to let nothing through.
  if (policy.broken !== '') return { ...linked, filter: brokenPolicy };
  const kind = filterKinds[order];
  try {
    if (!kind) throw new LinkFault('kind', `"${policy.kind}" is no policy this release knows`);
    const filter = linkPolicy(policy, kind, {
      resource: name,
      thread,
      secret(wanted) {
        secrets.set(wanted, secretHash(config, wanted));
        const resource = config.get(keyOf(Kind.SECRET, wanted));
        return resource && fromBinary(SecretSchema, resource.body).data;
      },
      askForCertificates: (pem) => authorities.add(pem),
      whileInForce: (key, start) => lifetime.add(key, start),
    });
    return { ...linked, filter };
  } catch (error) {
    const path = error instanceof LinkFault ? error.path : '';
    const reason = error instanceof Error ? error.message : String(error);
    refusals.push({ kind: Kind.POLICY, name, path, reason });
    return undefined;
  }
}

/** Ends the lifetime of the policies that go, then begins that of those that come into force. */
export function replacePolicies(
  before: LinkedPolicies | undefined,
  next: LinkedPolicies | undefined,
) {
  for (const [name, policy] of before ?? []) {
    if (next?.get(name) !== policy) policy.lifetime.end();
  }
  for (const [name, policy] of next ?? []) {
    if (before?.get(name) !== policy) policy.lifetime.begin();
  }
}

/** Finds the filters of a rule on a listener. */
export type PolicyScopes = {
  /** Undefined when there are none: such a match costs nothing. The same array for the same filters. */
  filtersOf(listener: string, route: string, rule: string): readonly Filter[] | undefined;
  /** Headers that clients may not send to the Gateway of a listener. */
  guardedOf(listener: string): readonly string[];
  /** Authorities, as PEM, that policies of a listener, or below it, trust to tell clients apart. */
  authoritiesOf(listener: string): readonly string[];
};

type Scoped = { name: string; order: number };

/** Policies by the scope that their name tells. */
export function byScopeOf<P extends Scoped>(policies: Iterable<P>): ReadonlyMap<string, P[]> {
  return Map.groupBy(policies, ({ name }) => name.slice(name.indexOf('/') + 1));
}

/** Of each kind the policy of the most specific scope counts: rule, Route, listener. */
export function policiesAt<P extends Scoped>(
  byScope: ReadonlyMap<string, readonly P[]>,
  listener: string,
  route: string,
  rule: string,
): P[] {
  const found = new Map<number, P>();
  for (const scope of [listener, `${listener}/${route}`, `${listener}/${route}/${rule}`]) {
    for (const policy of byScope.get(scope) ?? []) found.set(policy.order, policy);
  }
  return [...found.values()].sort((a, b) => a.order - b.order);
}

export function scopesOf(policies: LinkedPolicies): PolicyScopes {
  const byScope = byScopeOf(policies.values());
  const guarded = new Map<string, Set<string>>();
  for (const { name, guarded: headers } of policies.values()) {
    const [, namespace, gateway] = name.split('/');
    const names = guarded.get(`${namespace}/${gateway}`) ?? new Set();
    guarded.set(`${namespace}/${gateway}`, names);
    for (const header of headers) names.add(header);
  }
  const chains = new Map<string, readonly Filter[]>();

  function chainOf(found: readonly LinkedPolicy[]): readonly Filter[] {
    const key = found.map(({ name }) => name).join(' ');
    let chain = chains.get(key);
    if (!chain) {
      chain = found.map(({ filter }) => filter);
      chains.set(key, chain);
    }
    return chain;
  }

  return {
    filtersOf(listener, route, rule) {
      if (byScope.size === 0) return undefined;
      const found = policiesAt(byScope, listener, route, rule);
      return found.length === 0 ? undefined : chainOf(found);
    },
    guardedOf(listener) {
      const names = guarded.get(listener.slice(0, listener.lastIndexOf('/')));
      return names ? [...names].sort() : [];
    },
    authoritiesOf(listener) {
      const found = new Set<string>();
      for (const [scope, policies] of byScope) {
        if (scope !== listener && !scope.startsWith(`${listener}/`)) continue;
        for (const policy of policies) for (const pem of policy.authorities) found.add(pem);
      }
      return [...found].sort();
    },
  };
}
