import type { X509Certificate } from 'node:crypto';
import { type Identity, LinkFault } from '../../filter.ts';
import { secretText } from '../client-credentials.ts';
import type { Attempt, LinkMethod } from '../method.ts';
import { type AlternativeName, alternativeNames, nameOf } from '../mtls/names.ts';
import type { PeerCertificate } from '../mtls/peer-certificate.ts';
import { certificatesIn, verifyChain } from '../mtls/verify.ts';
import { reasonOf } from '../unavailable.ts';

/** What became of a certificate; it holds until a time in milliseconds since the epoch. */
type Known = { attempt: Attempt; until: number };

/** A client certificate, on HTTPS listeners; without TLS there is none. */
export const linkMtls: LinkMethod<'mtls'> = (config, context) => {
  const pem = secretText(config.caSecretRef, 'ca.crt', 'caSecretRef', context);
  const authorities = authoritiesIn(pem);
  context.askForCertificates(pem);
  const wanted = config.subjectAltNames;
  /** A connection shows one certificate: it is looked at once. */
  const known = new WeakMap<PeerCertificate, Known>();

  function judge(certificate: PeerCertificate, now: number): Known {
    const invalid = (reason: string): Known => {
      return { attempt: { kind: 'invalid', reason }, until: Number.POSITIVE_INFINITY };
    };
    const verified = verifyChain(certificate, authorities, now);
    const [leaf] = certificate.chain;
    if ('fault' in verified || !leaf) {
      return invalid('fault' in verified ? verified.fault : 'there is no certificate');
    }
    const names = alternativeNames(leaf.subjectAltName);
    if (wanted && !names.some((name) => isOneOf(wanted, name))) {
      return invalid('the certificate carries none of the names of the policy');
    }
    const identity = identityOfCertificate(leaf, names, context.name);
    return { attempt: { kind: 'identified', identity }, until: verified.until };
  }

  return {
    name: context.name,
    challenge: '',
    attempt(exchange) {
      const certificate = exchange.client.clientCertificate();
      if (!certificate) return { kind: 'missing' };
      const now = Date.now();
      let verdict = known.get(certificate);
      if (!verdict || now > verdict.until) {
        verdict = judge(certificate, now);
        known.set(certificate, verdict);
      }
      return verdict.attempt;
    },
  };
};

function authoritiesIn(pem: string): X509Certificate[] {
  try {
    const authorities = certificatesIn(pem);
    if (authorities.length > 0) return authorities;
  } catch (error) {
    throw new LinkFault('caSecretRef', reasonOf(error));
  }
  throw new LinkFault('caSecretRef', 'holds no certificate');
}

function isOneOf(wanted: readonly string[], { type, value }: AlternativeName): boolean {
  return wanted.some((name) => (type === 'DNS' ? name.toLowerCase() === value : name === value));
}

function identityOfCertificate(
  leaf: X509Certificate,
  names: readonly AlternativeName[],
  method: string,
): Identity {
  const id = nameOf(leaf, names);
  const claims = {
    sub: id,
    subject: leaf.subject.split('\n').join(', '),
    sans: names.map(({ value }) => value),
    fingerprint_sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: leaf.serialNumber,
  };
  return { method, id, roles: [], scopes: [], consumer: '', plan: '', claims };
}
