import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { fromBinary } from '@bufbuild/protobuf';
import {
  Kind,
  keyOf,
  type ResourceSet,
  SecretSchema,
  sameHash,
  type UpstreamTls,
} from '@gatehouse/snapshot';
import type { Security, UsedSecret } from './security.ts';

/** How connections of an upstream are secured; without all that it takes nobody connects. */
export function linkSecurity(
  tls: UpstreamTls | undefined,
  config: ResourceSet,
): Security | undefined {
  if (!tls) return undefined;
  const { serverName, authorities, clientCertificate } = tls;
  const secrets: UsedSecret[] = [];
  if (authorities !== '') secrets.push(usedSecret(authorities, 'ca.crt', config));
  if (clientCertificate !== '') secrets.push(usedSecret(clientCertificate, 'tls.crt', config));
  return { serverName, context: contextOf(tls, config), secrets };
}

const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function usedSecret(name: string, entry: UsedSecret['entry'], config: ResourceSet): UsedSecret {
  const { hash } = resourceOf(name, config) ?? {};
  const blocks = entriesOf(name, config)?.[entry]?.toString('latin1').match(block) ?? [];
  // Of a pair the first certificate is the one that is shown.
  const counted = entry === 'tls.crt' ? blocks.slice(0, 1) : blocks;
  return { name, entry, hash, validTo: Math.max(...counted.map(validTo)) };
}

function validTo(pem: string): number {
  try {
    return new X509Certificate(pem).validToDate.getTime();
  } catch {
    // Then there is no context either.
    return Number.NEGATIVE_INFINITY;
  }
}

/** Whether the Secrets are those that it was made of. */
export function isCurrent(security: Security | undefined, config: ResourceSet): boolean {
  if (!security) return true;
  return security.secrets.every(({ name, hash }) => {
    const found = resourceOf(name, config)?.hash;
    return found && hash ? sameHash(found, hash) : found === hash;
  });
}

function resourceOf(name: string, config: ResourceSet) {
  return config.get(keyOf(Kind.SECRET, name));
}

function contextOf(
  { authorities, clientCertificate, onlyTls13 }: UpstreamTls,
  config: ResourceSet,
) {
  const { 'ca.crt': ca } = entriesOf(authorities, config) ?? {};
  const { 'tls.crt': cert, 'tls.key': key } = entriesOf(clientCertificate, config) ?? {};
  // Without authorities OpenSSL would go by the public ones.
  if (authorities !== '' && !ca?.length) return undefined;
  if (clientCertificate !== '' && !(cert?.length && key?.length)) return undefined;
  try {
    return createSecureContext({
      minVersion: onlyTls13 ? 'TLSv1.3' : 'TLSv1.2',
      ...(ca ? { ca } : {}),
      ...(cert && key ? { cert, key } : {}),
    });
  } catch {
    // The controller has looked at them; the reason of OpenSSL may quote the key.
    return undefined;
  }
}

function entriesOf(name: string, config: ResourceSet): Record<string, Buffer> | undefined {
  const resource = resourceOf(name, config);
  if (!resource) return undefined;
  const { data } = fromBinary(SecretSchema, resource.body);
  return Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, Buffer.from(bytes)]));
}
