import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509';
import { expect, it } from 'vitest';
import { findingsOf } from '../testing.ts';
import { checkMtls } from './mtls.ts';

const path = 'spec.authentication[0].mtls';
const check = (secrets: Record<string, Record<string, string>>) =>
  findingsOf((context) => checkMtls({ caSecretRef: { name: 'ca' } }, path, context), { secrets });

async function certificate(ca: boolean): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=test',
      notBefore: new Date('2026-01-01'),
      notAfter: new Date('2126-01-01'),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      keys: {
        publicKey: publicKey.toCryptoKey(algorithm, true, ['verify']),
        privateKey: privateKey.toCryptoKey(algorithm, true, ['sign']),
      },
      extensions: [new BasicConstraintsExtension(ca)],
    },
    webcrypto,
  );
  return made.toString('pem');
}

it('takes authorities, and sends them', async () => {
  const pem = `${await certificate(true)}\n${await certificate(true)}`;
  const { mistakes, resources } = check({ ca: { 'ca.crt': pem } });
  expect([mistakes, [...resources.keys()]]).toEqual([[], ['policy/default/ca/ca.crt']]);
});

const at = `${path}.caSecretRef: `;
const entry = 'entry "ca.crt" of Secret "default/ca"';

it.each<[string, () => Promise<string>, string[]]>([
  ['nothing', async () => '', [`${at}${entry} holds no certificate as PEM`]],
  [
    'a certificate of nobody who issues',
    async () => `${await certificate(true)}\n${await certificate(false)}`,
    [`${at}certificate 2 of ${entry} is not that of an authority`],
  ],
  [
    'a damaged certificate',
    async () => '-----BEGIN CERTIFICATE-----\nsesame\n-----END CERTIFICATE-----',
    [`${at}certificate 1 of ${entry} is damaged`],
  ],
  [
    'a private key',
    async () => `${await certificate(true)}\n-----BEGIN PRIVATE KEY-----\n`,
    [`${at}${entry} holds a private key: data planes need certificates alone`],
  ],
])('reports %s', async (_, pem, mistakes) => {
  const found = check({ ca: { 'ca.crt': await pem() } });
  expect(found.mistakes).toEqual(mistakes);
  expect(found.mistakes.join()).not.toContain('sesame');
});
