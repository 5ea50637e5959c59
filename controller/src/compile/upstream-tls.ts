import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { SecretObject, UpstreamTls } from '@gatehouse/crds';
import {
  authoritiesName,
  Kind,
  type Resource,
  resourceOf,
  SecretSchema,
  type UpstreamTlsSchema,
} from '@gatehouse/snapshot';
import { authoritiesIn } from './authorities.ts';
import type { CheckedSecret } from './certificates.ts';
import type { Referred, Referrer } from './grants.ts';
import { type Lack, lackText } from './reach.ts';
import { entriesOf } from './secret-entries.ts';
import type { BrokenRef } from './status.ts';

const caPath = 'spec.tls.caSecretRef';
const certificatePath = 'spec.tls.clientCertificateSecretRef';
const caEntry = 'ca.crt';

/** What an Upstream needs of Secrets to connect. */
export type UpstreamSecrets = {
  /** By which names the data planes know them; "" for what is not referred to. */
  names: { authorities: string; clientCertificate: string };
  resources: Resource[];
  /** Names of those that cannot be made now: their last good content stays in use. */
  lost: string[];
  broken: BrokenRef[];
};

export const noSecrets: UpstreamSecrets = {
  names: { authorities: '', clientCertificate: '' },
  resources: [],
  lost: [],
  broken: [],
};

/**
 * Stands for a Secret that may not be referred to: others may have it served under its own name. No resource has
 * that name, so that nobody connects.
 */
const denied = 'not permitted';

type SecretRef = { name: string; namespace?: string };

function referred({ name, namespace: at }: SecretRef, namespace: string): Referred {
  const to = at ?? namespace;
  return { kind: 'Secret', namespace: to, name, id: `${to}/${name}` };
}

/** The Secrets that it names. @param namespace of the Upstream. */
export function secretsOfTls(tls: UpstreamTls, namespace: string): Referred[] {
  return [tls.caSecretRef, tls.clientCertificateSecretRef].flatMap((ref) =>
    ref ? [referred(ref, namespace)] : [],
  );
}

/** All but the names of Secrets. */
export function compileUpstreamTls({
  serverName,
  minVersion,
}: UpstreamTls): MessageInitShape<typeof UpstreamTlsSchema> {
  return { serverName, onlyTls13: minVersion === '1.3' };
}

/**
 * @param lookup what a reference to a Secret leads to.
 * @param checked what a Secret that holds a certificate and its key is worth.
 */
export function upstreamSecrets(
  { caSecretRef, clientCertificateSecretRef }: UpstreamTls,
  from: Referrer,
  lookup: (to: Referred) => SecretObject | Lack,
  checked: (secret: SecretObject) => CheckedSecret,
): UpstreamSecrets {
  const names = { authorities: '', clientCertificate: '' };
  const found: UpstreamSecrets = { names, resources: [], lost: [], broken: [] };
  const lose = (resource: string, code: BrokenRef['code'], path: string, reason: string) => {
    found.lost.push(resource);
    const rest = 'data planes that have its last good content go on with it';
    found.broken.push({ code, path, reason: `${reason}; ${rest}` });
  };
  /** The Secret; undefined when there is none, which was told then. */
  const secretOf = (
    to: Referred,
    resource: string,
    field: keyof typeof names,
    path: string,
  ): SecretObject | undefined => {
    const secret = lookup(to);
    names[field] = secret === 'not permitted' ? denied : resource;
    if (typeof secret === 'object') return secret;
    const reason = lackText(secret, from, to);
    if (secret === 'not permitted') found.broken.push({ code: 'RefNotPermitted', path, reason });
    else {
      const remedy = secret === 'no object' ? ': create it' : '';
      lose(resource, 'SecretNotFound', `${path}.name`, `${reason}${remedy}`);
    }
    return undefined;
  };

  if (caSecretRef) {
    const { key = caEntry } = caSecretRef;
    const to = referred(caSecretRef, from.namespace);
    const resource = authoritiesName(to.namespace, to.name, key);
    const secret = secretOf(to, resource, 'authorities', caPath);
    const entry = secret && entriesOf(secret).get(key);
    const authorities = entry && authoritiesIn(Buffer.from(entry));
    if (authorities) {
      const message = create(SecretSchema, { type: 'Opaque', data: { [caEntry]: authorities } });
      found.resources.push(resourceOf(Kind.SECRET, resource, SecretSchema, message));
    } else if (entry) {
      const reason = `the entry "${key}" of Secret "${to.id}" must hold certificates as PEM, and nothing else`;
      lose(resource, 'InvalidSecret', caPath, reason);
    } else if (secret) {
      const reason = `Secret "${to.id}" has no entry "${key}": add it, or name another key`;
      lose(resource, 'SecretNotFound', `${caPath}.key`, reason);
    }
  }
  if (clientCertificateSecretRef) {
    const to = referred(clientCertificateSecretRef, from.namespace);
    const secret = secretOf(to, to.id, 'clientCertificate', certificatePath);
    const pair = secret && checked(secret);
    if (pair && 'reason' in pair) lose(to.id, 'InvalidSecret', certificatePath, pair.reason);
    else if (pair) found.resources.push(pair.resource);
  }
  return found;
}
