import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { fromBinary } from '@bufbuild/protobuf';
import {
  hex,
  Kind,
  keyOf,
  type Listener,
  type Resource,
  type ResourceSet,
  SecretSchema,
} from '@gatehouse/snapshot';
import type { RefusedResource } from './refusals.ts';
import type { Certificate, LinkedListener, TlsTerms } from './runtime.ts';

/**
 * Loads the certificates of a listener. A pair that cannot be loaded is refused by its Secret's name; of
 * those that are kept from before only the good ones are used. One that has expired does not take the place
 * of one that is valid: it is refused. One that is not valid yet stands before the one that it replaces,
 * which is used until then.
 * @param before the listener as it was.
 */
export function loadCertificates(
  listener: Listener,
  terms: TlsTerms,
  before: LinkedListener | undefined,
  { config, refusals }: { config: ResourceSet; refusals: RefusedResource[] },
): Certificate[] {
  const loaded: Certificate[] = [];
  const now = Date.now();
  const known = before?.certificates ?? [];
  for (const name of listener.certificates) {
    const refuse = (path: string, reason: string) =>
      refusals.push({ kind: Kind.SECRET, name, path, reason });
    const certificate = certificateOf(name, terms, known, config);
    if (typeof certificate === 'string') {
      refuse('data', certificate);
      continue;
    }
    const old = known.find((one) => one.secret === name && isValid(one, now));
    if (!old || old.hash === certificate.hash || isValid(certificate, now)) {
      loaded.push(certificate);
    } else if (certificate.validTo < now) {
      const since = `the certificate of Secret "${name}" has expired on ${dateText(certificate.validTo)}`;
      refuse('data["tls.crt"]', `${since}: ${remedy(old)}`);
    } else {
      const kept = old.terms === terms ? old : { ...old, terms };
      loaded.push(certificate, kept);
    }
  }
  for (const name of listener.keptCertificates) {
    const certificate = certificateOf(name, terms, known, config);
    if (typeof certificate !== 'string') loaded.push(certificate);
  }
  return loaded;
}

function remedy({ validTo }: Certificate): string {
  return `put a valid one into it; the one before, until ${dateText(validTo)}, is shown meanwhile`;
}

/** Such as "2026-11-25T08:30:00Z". */
export function dateText(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

export function isValid({ validFrom, validTo }: Validity, now: number): boolean {
  return validFrom <= now && now <= validTo;
}

/** Milliseconds since the epoch. */
export type Validity = Pick<Certificate, 'validFrom' | 'validTo'>;

/** The certificate of a Secret, or why there is none; that of before when nothing has changed. */
function certificateOf(
  name: string,
  terms: TlsTerms,
  known: readonly Certificate[],
  config: ResourceSet,
): Certificate | string {
  const resource = config.get(keyOf(Kind.SECRET, name));
  if (!resource) return 'has no tls.crt and tls.key';
  const hash = hex(resource.hash);
  const same = known.find((one) => one.secret === name && one.hash === hash);
  if (same) return same.terms === terms ? same : { ...same, terms };
  const pem = pairOf(resource);
  if (!pem) return 'has no tls.crt and tls.key';
  try {
    createSecureContext(pem);
    const leaf = new X509Certificate(pem.cert);
    return { secret: name, hash, terms, names: namesOf(leaf), pem, ...validityOf(leaf) };
  } catch {
    // The reason of OpenSSL may quote the key: it stays out of statuses and logs.
    return 'is not a certificate with its key';
  }
}

/** Certificate and key of a Secret resource; undefined when it does not have both. */
export function pairOf({ body }: Resource): { cert: Buffer; key: Buffer } | undefined {
  const { data } = fromBinary(SecretSchema, body);
  const cert = data['tls.crt'];
  const key = data['tls.key'];
  return cert && key ? { cert: Buffer.from(cert), key: Buffer.from(key) } : undefined;
}

export function validityOf({ validFromDate, validToDate }: X509Certificate): Validity {
  return { validFrom: validFromDate.getTime(), validTo: validToDate.getTime() };
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
