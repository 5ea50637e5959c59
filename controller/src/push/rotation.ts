import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { clockSkew, datesOf, type Pair, unsound } from './pair.ts';

/** What a controller serves with and what data planes trust; PEM. */
export interface Trust {
  /** All that are trusted, oldest first; the last one signs. */
  authorities: readonly string[];
  /** Of the last authority. */
  authorityKey: string;
  server: Pair;
}

/** As it was found: parts may be missing or unsound. */
export type Held = Partial<Trust>;

/** Milliseconds. */
export interface Schedule {
  authority: Period;
  certificate: Period;
  /** From the moment that data planes are told of an authority until something it signs is served. */
  settle: number;
}

interface Period {
  lifetime: number;
  /** So long before the end there is another. */
  renewBefore: number;
}

const day = 24 * 60 * 60 * 1000;

/** An authority outlives every certificate that it signs. */
export const defaultSchedule: Schedule = {
  authority: { lifetime: 730 * day, renewBefore: 180 * day },
  certificate: { lifetime: 90 * day, renewBefore: 30 * day },
  // The kubelet brings a changed ConfigMap into running pods within two minutes, as it is set usually.
  settle: 10 * 60 * 1000,
};

export interface Situation {
  now: number;
  /** Names and addresses of the server. */
  hosts: readonly string[];
  /** What data planes were told to trust, as far as known. */
  published: readonly string[];
  schedule: Schedule;
}

/** Authorities that are told to data planes at the most. */
const mostAuthorities = 4;

/**
 * What should be in place of what is held; the same object when nothing is due. An authority that comes
 * is trusted beside the old one for a while before it signs, and the old one until it expires, so that
 * data planes can read the list at any time in between.
 */
export async function renewed(held: Held, situation: Situation): Promise<Trust> {
  const { now, schedule } = situation;
  const { authorities = [], authorityKey } = held;
  const signer = authorityKey === undefined ? undefined : signerOf(authorities, authorityKey, now);
  const server = isDue(held, signer, situation)
    ? signer && (await issue(signer, situation))
    : held.server;
  const ends = signer === undefined ? 0 : datesOf(signer.certificate).notAfter;
  if (ends > now + schedule.authority.renewBefore && server !== undefined) {
    if (server === held.server) return held as Trust;
    return { authorities, authorityKey: signer?.key ?? '', server };
  }
  const { createAuthority } = await import('./authority.ts');
  const next = await createAuthority({ now, lifetime: schedule.authority.lifetime });
  const known = authorities.filter((one) => isTrustworthy(one, now));
  return {
    authorities: [...known, next.certificate].slice(-mostAuthorities),
    authorityKey: next.key,
    // The first of all, or there is nothing else that a data plane would accept.
    server: server ?? (await issue(next, situation)),
  };
}

/** The authority that can sign now. */
function signerOf(authorities: readonly string[], key: string, now: number): Pair | undefined {
  const certificate = authorities.at(-1);
  if (certificate === undefined || !isTrustworthy(certificate, now)) return undefined;
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      return { certificate, key };
    }
  } catch {
    // Whatever stands there is no key: another authority is made.
  }
  return undefined;
}

/** Whether there should be another certificate, now. */
function isDue(
  { server, authorities = [] }: Held,
  signer: Pair | undefined,
  at: Situation,
): boolean {
  const { now, hosts, published, schedule } = at;
  if (server === undefined || !isServable(server, authorities, now)) return true;
  if (signer === undefined) return false;
  const { certificate } = signer;
  const known = datesOf(certificate).notBefore + clockSkew + schedule.settle <= now;
  if (!known || !published.includes(certificate)) return false;
  return (
    !isIssuedBy(server.certificate, certificate) ||
    !covers(server.certificate, hosts) ||
    datesOf(server.certificate).notAfter < now + schedule.certificate.renewBefore
  );
}

async function issue(authority: Pair, { now, hosts, schedule }: Situation): Promise<Pair> {
  const { issueCertificate } = await import('./authority.ts');
  const left = datesOf(authority.certificate).notAfter - now;
  return issueCertificate(authority, hosts, {
    now,
    lifetime: Math.min(schedule.certificate.lifetime, left),
  });
}

function isTrustworthy(authority: string, at: number): boolean {
  try {
    return new X509Certificate(authority).ca && datesOf(authority).notAfter > at;
  } catch {
    // Whatever stands there is no certificate: it is left out.
    return false;
  }
}

/** Whether data planes that know the authorities accept it now. */
function isServable(server: Pair, authorities: readonly string[], now: number): boolean {
  return (
    unsound(server) === undefined &&
    datesOf(server.certificate).notAfter > now &&
    authorities.some((one) => isTrustworthy(one, now) && isIssuedBy(server.certificate, one))
  );
}

function isIssuedBy(certificate: string, authority: string): boolean {
  const { publicKey } = new X509Certificate(authority);
  return new X509Certificate(certificate).verify(publicKey);
}

function covers(certificate: string, hosts: readonly string[]): boolean {
  const parsed = new X509Certificate(certificate);
  return hosts.every((host) =>
    isIP(host) === 0 ? parsed.checkHost(host) !== undefined : parsed.checkIP(host) !== undefined,
  );
}

/** The certificates of a PEM text, one by one. */
export function certificatesIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
