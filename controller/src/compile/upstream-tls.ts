import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
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
import type { CheckedSecret } from './certificates.ts';
import { entriesOf } from './secret-entries.ts';
import type { BrokenRef } from './status.ts';

const caPath = 'spec.tls.caSecretRef';
const certificatePath = 'spec.tls.clientCertificateSecretRef';
const caEntry = 'ca.crt';
const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** What an Upstream needs of Secrets to connect. */
export type UpstreamSecrets = {
  resources: Resource[];
  /** Names of those that cannot be made now: their last good content stays in use. */
  lost: string[];
  broken: BrokenRef[];
};

export const noSecrets: UpstreamSecrets = { resources: [], lost: [], broken: [] };

/** @param namespace of the Upstream, and of the Secrets it names. */
export function compileUpstreamTls(
  { serverName, caSecretRef, clientCertificateSecretRef }: UpstreamTls,
  namespace: string,
): MessageInitShape<typeof UpstreamTlsSchema> {
  return {
    serverName,
    authorities: caSecretRef
      ? authoritiesName(namespace, caSecretRef.name, caSecretRef.key ?? caEntry)
      : '',
    clientCertificate: clientCertificateSecretRef
      ? `${namespace}/${clientCertificateSecretRef.name}`
      : '',
  };
}

/**
 * @param secretOf a Secret of the namespace of the Upstream.
 * @param checked what a Secret that holds a certificate and its key is worth.
 */
export function upstreamSecrets(
  { caSecretRef, clientCertificateSecretRef }: UpstreamTls,
  namespace: string,
  secretOf: (name: string) => SecretObject | undefined,
  checked: (secret: SecretObject) => CheckedSecret,
): UpstreamSecrets {
  const found: UpstreamSecrets = { resources: [], lost: [], broken: [] };
  const lose = (resource: string, code: BrokenRef['code'], path: string, reason: string) => {
    found.lost.push(resource);
    const rest = 'data planes that have its last good content go on with it';
    found.broken.push({ code, path, reason: `${reason}; ${rest}` });
  };
  const absent = (name: string) => `Secret "${namespace}/${name}" does not exist: create it`;

  if (caSecretRef) {
    const { name, key = caEntry } = caSecretRef;
    const resource = authoritiesName(namespace, name, key);
    const secret = secretOf(name);
    const entry = secret && entriesOf(secret).get(key);
    const named = `Secret "${namespace}/${name}"`;
    if (!secret) lose(resource, 'SecretNotFound', `${caPath}.name`, absent(name));
    else if (!entry) {
      const reason = `${named} has no entry "${key}": add it, or name another key`;
      lose(resource, 'SecretNotFound', `${caPath}.key`, reason);
    } else if (!areAuthorities(Buffer.from(entry))) {
      const reason = `the entry "${key}" of ${named} must hold certificates as PEM, and nothing else`;
      lose(resource, 'InvalidSecret', caPath, reason);
    } else {
      const message = create(SecretSchema, { type: 'Opaque', data: { [caEntry]: entry } });
      found.resources.push(resourceOf(Kind.SECRET, resource, SecretSchema, message));
    }
  }
  if (clientCertificateSecretRef) {
    const { name } = clientCertificateSecretRef;
    const resource = `${namespace}/${name}`;
    const secret = secretOf(name);
    const pair = secret && checked(secret);
    if (!pair) lose(resource, 'SecretNotFound', `${certificatePath}.name`, absent(name));
    else if ('reason' in pair) lose(resource, 'InvalidSecret', certificatePath, pair.reason);
    else found.resources.push(pair.resource);
  }
  return found;
}

/** Text between the blocks is allowed (RFC 7468 section 2), a block that is no certificate is not. */
function areAuthorities(pem: Buffer): boolean {
  const text = pem.toString('latin1');
  const blocks = text.match(block) ?? [];
  if (blocks.length === 0 || text.split('-----BEGIN ').length - 1 !== blocks.length) return false;
  try {
    for (const one of blocks) new X509Certificate(one);
    createSecureContext({ ca: pem });
    return true;
  } catch {
    return false;
  }
}
