import {
  type GatewayObject,
  type ObjectOf,
  policyKinds,
  type SecretObject,
  type UpstreamObject,
} from '@gatehouse/crds';
import { type Permits, permissions } from '../../compile/grants.ts';
import { secretRefsOf } from '../../compile/policies/secret-refs.ts';
import { secretsOfTls } from '../../compile/upstream-tls.ts';
import { type ObjectKey, objectKey } from '../../store/key.ts';
import type { Store } from '../../store/store.ts';
import { admit } from './admit.ts';
import { secretResource } from './resources.ts';

/** Follows one object by name until closed. */
export type Follow = (
  namespace: string,
  name: string,
  onObject: (raw: unknown) => void,
) => { close(): Promise<void> };

export interface SecretsOptions {
  store: Store;
  follow: Follow;
  /** Whether what a Secret holds can be served; why not, else. */
  judge(secret: SecretObject): string | undefined;
  /** What is wrong with Secrets in use has changed. */
  onTrouble(): void;
}

export interface Secrets {
  /** Why the last good content of a Secret is in use and not the present one, by "<namespace>/<name>". */
  troubles(): ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/**
 * Keeps those Secrets in the store that a Gateway, a policy, a Consumer or an Upstream refers to, each by
 * a watch of its own, so that no right to list all Secrets is needed. While it is referred to, a certificate that
 * is deleted or cannot be served any more stays in the store as it was: a listener never goes away with
 * it. A credential that is deleted is gone.
 */
export function followSecrets({ store, follow, judge, onTrouble }: SecretsOptions): Secrets {
  const followed = new Map<string, { key: ObjectKey; close(): Promise<void> }>();
  const troubles = new Map<string, string>();

  function setTrouble(id: string, trouble: string | undefined): void {
    if (troubles.get(id) === trouble) return;
    if (trouble === undefined) troubles.delete(id);
    else troubles.set(id, trouble);
    onTrouble();
  }

  function take(id: string, key: ObjectKey, raw: unknown): void {
    const held = store.get(key);
    const object = raw === undefined ? undefined : admit(secretResource, raw).object;
    const secret = object?.kind === 'Secret' ? object : undefined;
    const why =
      raw === undefined
        ? `Secret "${id}" was deleted: create it again, or remove the reference`
        : secret === undefined
          ? `Secret "${id}" is not sound`
          : judge(secret);
    if (why !== undefined && held?.kind === 'Secret' && judge(held) === undefined) {
      setTrouble(id, `${why}; its last good content stays in use`);
      return;
    }
    // One that cannot be served goes in, too, where there is nothing better: compile says what is wrong.
    setTrouble(id, undefined);
    store.apply(secret === undefined ? { remove: [key] } : { put: [secret] });
  }

  function refresh(): void {
    const permits = permissions(store.list('ReferenceGrant'));
    const wanted = new Map<string, SecretRef>([
      ...store.list('Gateway').flatMap((gateway) => secretRefs(gateway, permits)),
      ...withSecrets.flatMap((kind) => store.list(kind)).flatMap(ownSecretRefs),
      ...store.list('Upstream').flatMap((upstream) => upstreamSecretRefs(upstream, permits)),
    ]);
    for (const [id, { namespace, name }] of wanted) {
      if (followed.has(id)) continue;
      const key = objectKey('Secret', namespace, name);
      const { close } = follow(namespace, name, (raw) => take(id, key, raw));
      followed.set(id, { key, close });
    }
    for (const [id, one] of followed) {
      if (wanted.has(id)) continue;
      followed.delete(id);
      void one.close();
      setTrouble(id, undefined);
      store.apply({ remove: [one.key] });
    }
  }

  const leave = store.subscribe((changed) => {
    if ([...changed].some((key) => referrers.has(key.slice(0, key.indexOf('/'))))) refresh();
  });
  return {
    troubles: () => troubles,
    async close() {
      leave();
      await Promise.all([...followed.values()].map((one) => one.close()));
    },
  };
}

type SecretRef = { namespace: string; name: string };

/** Kinds that name Secrets of their own namespace. */
const withSecrets = [...policyKinds, 'Consumer', 'Upstream'] as const;
/** Kinds by which the Secrets to follow change. */
const referrers = new Set<string>(['Gateway', 'ReferenceGrant', ...withSecrets]);

/** What such an object names, always in its own namespace. */
function ownSecretRefs({ metadata, spec }: ObjectOf<(typeof withSecrets)[number]>) {
  const { namespace = '' } = metadata;
  // Those of `tls` may stand in other namespaces.
  return secretRefsOf({ ...spec, tls: undefined }).map((name): [string, SecretRef] => [
    `${namespace}/${name}`,
    { namespace, name },
  ]);
}

function upstreamSecretRefs(
  { metadata, spec }: UpstreamObject,
  permits: Permits,
): [string, SecretRef][] {
  const from = { kind: 'Upstream', namespace: metadata.namespace ?? '' } as const;
  const named = spec.tls ? secretsOfTls(spec.tls, from.namespace) : [];
  return named
    .filter((to) => to.namespace === from.namespace || permits(from, to))
    .map(({ id, namespace, name }) => [id, { namespace, name }]);
}

/** Those of its own namespace, and of others as far as they grant it: nothing else is read. */
function secretRefs(gateway: GatewayObject, permits: Permits): [string, SecretRef][] {
  const from = { kind: 'Gateway', namespace: gateway.metadata.namespace ?? '' } as const;
  return gateway.spec.listeners
    .flatMap(({ tls }) => tls?.certificateRefs ?? [])
    .map(({ name, namespace = from.namespace }) => ({
      name,
      namespace,
      id: `${namespace}/${name}`,
    }))
    .filter((to) => to.namespace === from.namespace || permits(from, { kind: 'Secret', ...to }))
    .map(({ id, namespace, name }) => [id, { namespace, name }]);
}
