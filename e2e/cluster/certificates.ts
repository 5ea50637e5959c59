// @peculiar/x509 registers its algorithms by decorators and does not load without it.
import 'reflect-metadata';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** PEM. */
export type KeyPair = { certificate: string; key: string };

export type Subject = {
  commonName: string;
  /** A group of Kubernetes. */
  organization?: string;
  /** Names and addresses of a server. */
  hosts?: readonly string[];
};

/** An authority: its own certificate, and more of them signed by it. */
export type Authority = KeyPair & { issue(subject: Subject): Promise<KeyPair> };

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 24 * 60 * 60 * 1000;

/** Certificates are valid from an hour ago for 30 days: no cluster of ours runs that long. */
function validity() {
  const now = Date.now();
  return { notBefore: new Date(now - day / 24), notAfter: new Date(now + 30 * day) };
}

export async function createAuthority(commonName: string): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const own = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificate: own.toString('pem'),
    key: await keyText(keys.privateKey),
    async issue(subject) {
      const pair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const certificate = await X509CertificateGenerator.create({
        subject: nameOf(subject),
        issuer: own.subject,
        publicKey: pair.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        ...validity(),
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
          await AuthorityKeyIdentifierExtension.create(keys.publicKey),
          ...alternativeNames(subject.hosts ?? []),
        ],
      });
      return { certificate: certificate.toString('pem'), key: await keyText(pair.privateKey) };
    },
  };
}

function nameOf({ commonName, organization }: Subject): JsonName {
  return [...(organization ? [{ O: [organization] }] : []), { CN: [commonName] }];
}

function alternativeNames(hosts: readonly string[]) {
  if (hosts.length === 0) return [];
  const names = hosts.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }) as const);
  return [new SubjectAlternativeNameExtension(names)];
}

async function keyText(key: CryptoKey): Promise<string> {
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', key);
  return PemConverter.encode(pkcs8, PemConverter.PrivateKeyTag);
}
