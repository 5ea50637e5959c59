import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../../cluster/certificates.ts';
import { freePorts } from '../../cluster/ports.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { requestTls } from '../../src/request-tls.ts';
import type { Condition } from '../../src/route.ts';
import { answering, type Fleet, gatewayOf, namespace, startFleet } from './fleet.ts';

const host = 'secure.example.com';
let fleet: Fleet;
let authority: Authority;
let port = 0;

beforeAll(async () => {
  fleet = await startFleet();
  authority = await createAuthority('clients');
  [port = 0] = await freePorts(1);
  await fleet.startController();
  const [listener] = gatewayOf('', port).spec.listeners;
  const tls = { certificateRefs: [{ name: 'web' }] };
  await fleet.kubectl.apply([
    await secretOf(),
    {
      ...gatewayOf('secure', port),
      spec: {
        gatewayClassName: 'gatehouse',
        listeners: [{ ...listener, name: 'https', protocol: 'HTTPS', tls }],
      },
    },
    answering('secure', host, 'by TLS'),
  ]);
  await waitFor('an answer', async () => (await ask()) === 'by TLS');
  await resolvedRefs('True');
});
afterAll(() => fleet?.stop());

async function secretOf(type = 'kubernetes.io/tls') {
  const { certificate, key } = await authority.issue({ commonName: host, hosts: [host] });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'web' },
    type,
    stringData: { 'tls.crt': certificate, 'tls.key': key },
  };
}
const ask = async () => (await requestTls(`https://${host}/`, authority.certificate, port)).body;
const serial = async () =>
  (await requestTls(`https://${host}/`, authority.certificate, port)).serial;

/** Waits for the condition ResolvedRefs of the Gateway to be so. */
async function resolvedRefs(status: 'True' | 'False', message = /^/): Promise<void> {
  await waitFor(`ResolvedRefs to be ${status} with ${message}`, async () => {
    const gateway = await fleet.kubectl.get<{ status?: { conditions?: Condition[] } }>(
      'gateway',
      'secure',
    );
    const found = gateway.status?.conditions?.find(({ type }) => type === 'ResolvedRefs');
    return found?.status === status && message.test(found.message);
  });
}

describe('a Secret in use', () => {
  const rest = 'its last good content stays in use';
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'is deleted',
      () => fleet.kubectl('delete', 'secret', 'web'),
      new RegExp(`Secret "${namespace}/web" was deleted: .*; ${rest}`),
    ],
    [
      'is replaced by one of another type',
      async () => {
        await fleet.kubectl('delete', 'secret', 'web', '--ignore-not-found');
        await fleet.kubectl.apply(await secretOf('Opaque'));
      },
      new RegExp(`type.*kubernetes\\.io/tls.*; ${rest}`),
    ],
    [
      'gets a key that is not that of its certificate',
      async () => {
        const one = await secretOf();
        const other = await secretOf();
        one.stringData['tls.key'] = other.stringData['tls.key'];
        await fleet.kubectl('delete', 'secret', 'web', '--ignore-not-found');
        await fleet.kubectl.apply(one);
      },
      new RegExp(`; ${rest}`),
    ],
  ])('that %s is served on, named, and replaced as soon as it is sound', async (_, spoil, text) => {
    const before = await serial();
    await spoil();
    await resolvedRefs('False', text);
    expect(await ask()).toBe('by TLS');
    expect(await serial()).toBe(before);
    await fleet.kubectl('delete', 'secret', 'web', '--ignore-not-found');
    await fleet.kubectl.apply(await secretOf());
    await resolvedRefs('True');
    await waitFor('the new certificate', async () => (await serial()) !== before);
  });
});
