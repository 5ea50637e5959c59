import { createAuthority, issueCertificate } from './authority.ts';
import type { Pair } from './pair.ts';

export interface Certificates extends Pair {
  /** What data planes must trust, PEM. */
  ca: string;
}

/** Longer than any process runs, in milliseconds: there is no renewal. */
const lifetime = 3650 * 24 * 60 * 60 * 1000;

/**
 * An authority that lives as long as the process and one server certificate for `hosts` (names and
 * IP addresses). The key of the authority is thrown away: nothing else can ever be signed by it.
 */
export async function createCertificates(hosts: string[], now = Date.now()): Promise<Certificates> {
  const validity = { now, lifetime };
  const authority = await createAuthority(validity);
  const server = await issueCertificate(authority, hosts, validity);
  return { ca: authority.certificate, ...server };
}
