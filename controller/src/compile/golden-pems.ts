import 'reflect-metadata';
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';
import type { Pems } from './golden-case.ts';

/** Certificates a and b with keys that fit, and one with a key that is too short for TLS. */
export async function makePems(): Promise<Pems> {
  const weak = generateKeyPairSync('rsa', { modulusLength: 512 });
  const [a, b] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  return {
    ...(a ? await pair('a', a) : {}),
    ...(b ? await pair('b', b) : {}),
    ...(await pair('weak', weak)),
  };
}

async function pair(name: string, keys: { publicKey: KeyObject; privateKey: KeyObject }) {
  const rsa = keys.privateKey.asymmetricKeyType === 'rsa';
  const algorithm = rsa
    ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' }
    : { name: 'ECDSA', namedCurve: 'P-256' };
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}.example.com`,
      notBefore: new Date('2026-01-01'),
      notAfter: new Date('2126-01-01'),
      signingAlgorithm: rsa ? algorithm : { name: 'ECDSA', hash: 'SHA-256' },
      keys: {
        publicKey: keys.publicKey.toCryptoKey(algorithm, true, ['verify']),
        privateKey: keys.privateKey.toCryptoKey(algorithm, true, ['sign']),
      },
    },
    webcrypto,
  );
  return {
    [`${name}.crt`]: `${certificate.toString('pem')}\n`,
    [`${name}.key`]: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
