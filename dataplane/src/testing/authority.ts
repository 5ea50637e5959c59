import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

type KeyPair = Awaited<ReturnType<typeof newKeys>>;

/** A certificate with its key, as PEM. */
export type Pair = { cert: string; key: string };

/** Somebody who issues certificates. */
export type Authority = Pair & {
  issue(subject: string, options?: IssueOptions): Promise<Pair>;
  /** Another authority below this one. */
  subordinate(subject: string, options?: IssueOptions): Promise<Authority>;
};

export type IssueOptions = {
  names?: JsonGeneralNames;
  /** Extended key usages; none when left out. */
  purposes?: string[];
  notBefore?: Date;
  notAfter?: Date;
};

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;

/** An authority that signs itself. `subject` such as "CN=root". */
export async function createAuthority(
  subject: string,
  options: IssueOptions = {},
): Promise<Authority> {
  cryptoProvider.set(webcrypto as Crypto);
  const keys = await newKeys();
  const issuer = { subject, keys };
  return authorityOf(subject, keys, await certificate(issuer, subject, keys, true, options));
}

function newKeys() {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function authorityOf(subject: string, keys: KeyPair, cert: string): Promise<Authority> {
  const issuer = { subject, keys };
  return {
    cert,
    key: await pemOf(keys),
    async issue(name, options = {}) {
      const own = await newKeys();
      return { cert: await certificate(issuer, name, own, false, options), key: await pemOf(own) };
    },
    async subordinate(name, options = {}) {
      const own = await newKeys();
      return authorityOf(name, own, await certificate(issuer, name, own, true, options));
    },
  };
}

async function certificate(
  issuer: { subject: string; keys: KeyPair },
  subject: string,
  keys: KeyPair,
  ca: boolean,
  { names, purposes, notBefore, notAfter }: IssueOptions,
): Promise<string> {
  const extensions: Extension[] = [new BasicConstraintsExtension(ca, undefined, true)];
  if (ca) extensions.push(new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true));
  if (names) extensions.push(new SubjectAlternativeNameExtension(names));
  if (purposes) extensions.push(new ExtendedKeyUsageExtension(purposes));
  const created = await X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex'),
    subject,
    issuer: issuer.subject,
    notBefore: notBefore ?? new Date(Date.now() - day),
    notAfter: notAfter ?? new Date(Date.now() + day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey as CryptoKey,
    signingKey: issuer.keys.privateKey as CryptoKey,
    extensions,
  });
  return created.toString('pem');
}

async function pemOf({ privateKey }: KeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}
