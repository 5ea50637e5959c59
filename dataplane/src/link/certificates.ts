import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { fromBinary } from '@bufbuild/protobuf';
import { Kind, keyOf, type Listener, type ResourceSet, SecretSchema } from '@gatehouse/snapshot';
import type { RefusedResource } from './refusals.ts';
import type { Certificate } from './runtime.ts';

/**
 * Loads the certificates of a listener. A pair that cannot be loaded is refused by its Secret's name; of
 * those that are kept from before only the good ones are used.
 * @param authorities PEM of those of whom clients are asked for certificates
 */
export function loadCertificates(
  listener: Listener,
  authorities: readonly string[],
  config: ResourceSet,
  refusals: RefusedResource[],
): Certificate[] {
  const loaded: Certificate[] = [];
  for (const name of listener.certificates) {
    const certificate = loadCertificate(name, authorities, config);
    if (typeof certificate !== 'string') loaded.push(certificate);
    else refusals.push({ kind: Kind.SECRET, name, path: 'data', reason: certificate });
  }
  for (const name of listener.keptCertificates) {
    const certificate = loadCertificate(name, authorities, config);
    if (typeof certificate !== 'string') loaded.push(certificate);
  }
  return loaded;
}

/** The certificate of a Secret, or why there is none. */
function loadCertificate(
  name: string,
  authorities: readonly string[],
  config: ResourceSet,
): Certificate | string {
  const resource = config.get(keyOf(Kind.SECRET, name));
  const secret = resource && fromBinary(SecretSchema, resource.body);
  const cert = secret?.data['tls.crt'];
  const key = secret?.data['tls.key'];
  if (!cert || !key) return 'has no tls.crt and tls.key';
  try {
    const pair = { cert: Buffer.from(cert), key: Buffer.from(key) };
    const pem = authorities.length === 0 ? pair : { ...pair, ca: [...authorities] };
    const context = createSecureContext({ ...pem, minVersion: 'TLSv1.2' });
    return { names: namesOf(new X509Certificate(pem.cert)), context, pem };
  } catch {
    // The reason of OpenSSL may quote the key: it stays out of statuses and logs.
    return 'is not a certificate with its key';
  }
}

/** Lower-case DNS names a certificate is for (RFC 6125: subjectAltName wins over the subject). */
function namesOf(certificate: X509Certificate): string[] {
  const alternative = certificate.subjectAltName ?? '';
  const names = [...alternative.matchAll(/DNS:([^,\s"]+)/g)].map((found) => found[1] ?? '');
  if (names.length === 0) {
    const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
    if (common) names.push(common);
  }
  return names.map((name) => name.toLowerCase());
}

/** True when `host` is `pattern`, or one label below it when that starts with "*." (RFC 6125 6.4.3). */
export function coversHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}
