import { fromBinary } from '@bufbuild/protobuf';
import { type AnyObject, validateObject } from '@gatehouse/crds';
import { Kind, keyOf, SecretSchema } from '@gatehouse/snapshot';
import { describe, expect, it } from 'vitest';
import { resourcesOf } from './golden-case.ts';
import { makePems } from './golden-pems.ts';
import { compile } from './index.ts';

const pems = await makePems();
const [a = '', b = '', key = ''] = [pems['a.crt'], pems['b.crt'], pems['a.key']];

function sound(kind: string, name: string, fields: object): AnyObject {
  const apiVersion = kind === 'Secret' ? 'v1' : 'gatehouse.dev/v1alpha1';
  const validated = validateObject({
    apiVersion,
    kind,
    metadata: { name, namespace: 'shop' },
    ...fields,
  });
  if ('object' in validated) return validated.object;
  throw new Error(JSON.stringify(validated.problems));
}

const route = sound('Route', 'web', {
  spec: { rules: [{ name: 'all', backends: [{ kind: 'Upstream', name: 'up' }] }] },
});
const upstream = sound('Upstream', 'up', {
  spec: {
    endpoints: { static: [{ address: '10.0.0.1', port: 443 }] },
    tls: {
      serverName: 'a.internal',
      caSecretRef: { name: 'trust' },
      clientCertificateSecretRef: { name: 'client' },
    },
  },
});
const trust = (pem: string) => sound('Secret', 'trust', { stringData: { 'ca.crt': pem } });
const client = (cert: string) =>
  sound('Secret', 'client', {
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': cert, 'tls.key': key },
  });
const authorities = keyOf(Kind.SECRET, 'authorities/shop/trust/ca.crt');
const pair = keyOf(Kind.SECRET, 'shop/client');

function compiled(...secrets: AnyObject[]) {
  const result = compile(resourcesOf([route, upstream, ...secrets]));
  const resource = result.config.get(authorities);
  const { conditions = [] } = result.statuses.find(({ kind }) => kind === 'Upstream') ?? {};
  return {
    ...result,
    trusted: resource && Buffer.from(fromBinary(SecretSchema, resource.body).data['ca.crt'] ?? ''),
    resolved: conditions.find(({ type }) => type === 'ResolvedRefs'),
  };
}

describe('Secrets of an Upstream with TLS', () => {
  it.each([
    ['as they are', a + b],
    ['joined without a line break', a.trim() + b.trim()],
    ['with text between them', `root\n${a}and another\n${b}the end`],
    ['with the line ends of Windows', (a + b).replaceAll('\n', '\r\n')],
  ])('reach data planes as certificates on lines of their own: %s', (_, pem) => {
    const { trusted, resolved } = compiled(trust(pem), client(a));
    expect(resolved?.status).toBe('True');
    expect(trusted?.toString().replaceAll('\r', '')).toBe(a + b);
  });

  const half = a.slice(0, 200);
  it.each<[string, AnyObject[], string[], RegExp]>([
    ['authorities half written', [trust(half), client(a)], [authorities], /caSecretRef: .*PEM/],
    ['authorities with a key', [trust(a + key), client(a)], [authorities], /caSecretRef: .*PEM/],
    ['authorities gone', [client(a)], [authorities], /caSecretRef.name: .*create it/],
    ['a pair half written', [trust(a), client(half)], [pair], /clientCertificateSecretRef: .*PEM/],
    [
      'a pair that does not fit',
      [trust(a), client(b)],
      [pair],
      /clientCertificateSecretRef: .*fit/,
    ],
    ['a pair gone', [trust(a)], [pair], /clientCertificateSecretRef.name: .*create it/],
  ])('%s: what is held of it stays, and the status says so', (_, secrets, kept, message) => {
    const { config, keep, resolved } = compiled(...secrets);
    expect([...keep]).toEqual(kept);
    for (const lost of keep) expect(config.has(lost)).toBe(false);
    expect(resolved).toMatchObject({ status: 'False', message: expect.stringMatching(message) });
    expect(resolved?.message).not.toContain('-----');
  });
});
