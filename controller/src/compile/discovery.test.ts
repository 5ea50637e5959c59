import { fromBinary } from '@bufbuild/protobuf';
import { type AnyObject, validateObject } from '@gatehouse/crds';
import { EndpointsSchema, Kind, keyOf } from '@gatehouse/snapshot';
import { describe, expect, it } from 'vitest';
import type { DiscoveredEndpoint, DiscoveryObject } from '../store/discovery.ts';
import { resourcesOf } from './golden-case.ts';
import { makePems } from './golden-pems.ts';
import { type Compiled, compile, createCompiler } from './index.ts';

const pems = await makePems();

function sound(kind: string, name: string, fields: object): AnyObject {
  const apiVersion = kind === 'Secret' ? 'v1' : 'gatehouse.dev/v1alpha1';
  const metadata = { name, namespace: 'shop' };
  const validated = validateObject({ apiVersion, kind, metadata, ...fields });
  if ('object' in validated) return validated.object;
  throw new Error(JSON.stringify(validated.problems));
}

const upstream = (endpoints: object, name = 'users') =>
  sound('Upstream', name, { spec: { endpoints } });
const dns = { name: 'users.internal', port: 80 };
const consul = { address: 'https://consul.internal:8501', service: 'users' };
const secret = (entries: object) => sound('Secret', 'consul', { stringData: entries });
const route = sound('Route', 'web', {
  spec: { rules: [{ name: 'all', backends: [{ kind: 'Upstream', name: 'users' }] }] },
});

const one: DiscoveredEndpoint = { address: '10.0.0.1', port: 80, weight: 1, zone: '' };
const two: DiscoveredEndpoint = { address: '10.0.0.2', port: 81, weight: 7, zone: 'a' };
const key = keyOf(Kind.ENDPOINTS, 'upstream/shop/users');

function discovery(fields: Partial<DiscoveryObject>): DiscoveryObject {
  const metadata = { name: 'users', namespace: 'shop' };
  const nothing = { endpoints: undefined, mistakes: [], stale: false, note: '' };
  return { kind: 'Discovery', metadata, ...nothing, ...fields };
}

const input = (objects: AnyObject[], ...discoveries: DiscoveryObject[]) => ({
  ...resourcesOf([route, ...objects]),
  discoveries,
});

function endpointsIn({ endpoints }: Compiled) {
  const resource = endpoints.get(key);
  return resource && fromBinary(EndpointsSchema, resource.body).endpoints;
}

function conditionsOf({ statuses }: Compiled) {
  const { conditions = [] } = statuses.find(({ kind }) => kind === 'Upstream') ?? {};
  return conditions.map(({ type, status, reason, message }) =>
    [`${type}=${status}`, reason, message].join(' ').trim(),
  );
}

describe('what was discovered', () => {
  it('is the list of the Upstream, in whatever order it comes', () => {
    const compiled = compile(input([upstream({ dns })], discovery({ endpoints: [one, two] })));
    expect(endpointsIn(compiled)).toMatchObject([
      { ...one, hintedZones: [] },
      { ...two, hintedZones: ['a'] },
    ]);
    expect(conditionsOf(compiled)).toEqual([
      'Accepted=True Accepted',
      'ResolvedRefs=True ResolvedRefs',
    ]);
    expect(compiled.keep).toEqual(new Set());
    const reversed = compile(input([upstream({ dns })], discovery({ endpoints: [two, one] })));
    expect(reversed.endpointsVersion).toBe(compiled.endpointsVersion);
  });

  it('may be an empty list, which is another thing than none', () => {
    const note = 'none of its 3 instances passes its checks';
    const compiled = compile(input([upstream({ consul })], discovery({ endpoints: [], note })));
    expect(endpointsIn(compiled)).toEqual([]);
    expect(conditionsOf(compiled)[1]).toBe(`ResolvedRefs=True ResolvedRefs ${note}`);
  });

  it('leaves what data planes hold alone while nothing is known', () => {
    const compiled = compile(input([upstream({ dns })]));
    expect(endpointsIn(compiled)).toBeUndefined();
    expect(compiled.keep).toEqual(new Set([key]));
    expect(conditionsOf(compiled)[1]).toBe(
      'ResolvedRefs=True ResolvedRefs endpoints are not known yet',
    );
  });

  it('is forgotten when nobody asks for it', () => {
    const fixed = upstream({ static: [{ address: '10.9.9.9', port: 1 }] });
    const compiled = compile(input([fixed], discovery({ endpoints: [one] })));
    expect(endpointsIn(compiled)).toMatchObject([{ address: '10.9.9.9' }]);
  });

  it('changes the endpoints and nothing else', () => {
    const next = createCompiler();
    const objects = [upstream({ dns })];
    const before = next(input(objects, discovery({ endpoints: [one] })));
    const after = next(input(objects, discovery({ endpoints: [one, two] })));
    expect(after.configVersion).toBe(before.configVersion);
    expect(after.endpointsVersion).not.toBe(before.endpointsVersion);
    expect(after).toEqual(compile(input(objects, discovery({ endpoints: [one, two] }))));
  });
});

describe('what is wrong', () => {
  const mistakes = [{ path: 'spec.endpoints.dns.name', reason: 'no such name: correct it' }];

  it.each<[string, Partial<DiscoveryObject>, string]>([
    [
      'and leaves an older list in use',
      { mistakes, stale: true, endpoints: [one, two] },
      'no such name: correct it; the last list stays in use (endpoints: 2)',
    ],
    [
      'from the beginning',
      { mistakes, stale: true },
      'no such name: correct it; no list is known; data planes that have one keep it',
    ],
    ['with a part of the list', { mistakes, endpoints: [one] }, 'no such name: correct it'],
  ])('%s is told with its field', (_, fields, message) => {
    const compiled = compile(input([upstream({ dns })], discovery(fields)));
    expect(conditionsOf(compiled)).toEqual([
      'Accepted=True Accepted',
      `ResolvedRefs=False DiscoveryFailed spec.endpoints.dns.name: ${message}`,
    ]);
  });

  const refs = {
    ...consul,
    tokenSecretRef: { name: 'consul' },
    tls: { caSecretRef: { name: 'consul' } },
  };
  const token = 'spec.endpoints.consul.tokenSecretRef';
  it.each<[string, AnyObject[], string]>([
    [
      'is missing',
      [],
      `SecretNotFound ${token}.name: Secret "shop/consul" does not exist: create it`,
    ],
    [
      'has no token',
      [secret({ 'ca.crt': pems['a.crt'] })],
      `SecretNotFound ${token}.key: Secret "shop/consul" has no entry "token": add it, or name another key`,
    ],
    [
      'has a token of two lines',
      [secret({ token: 'hidden\nhidden', 'ca.crt': pems['a.crt'] })],
      `InvalidSecret ${token}: the entry "token" of Secret "shop/consul" must be one word of visible ASCII characters`,
    ],
    [
      'has no authority as PEM',
      [secret({ token: 'hidden', 'ca.crt': 'hidden' })],
      'InvalidSecret spec.endpoints.consul.tls.caSecretRef: the entry "ca.crt" of Secret "shop/consul" must hold certificates as PEM, and nothing else',
    ],
    ['is sound', [secret({ token: 'hidden\n', 'ca.crt': pems['a.crt'] })], ''],
  ])('a Secret that %s', (_, secrets, expected) => {
    const compiled = compile(
      input([upstream({ consul: refs }), ...secrets], discovery({ endpoints: [one] })),
    );
    const [, condition = ''] = conditionsOf(compiled);
    if (expected === '') expect(condition).toBe('ResolvedRefs=True ResolvedRefs');
    else expect(condition).toContain(`ResolvedRefs=False ${expected}`);
    expect(JSON.stringify([...compiled.config, compiled.statuses])).not.toContain('hidden');
    expect(endpointsIn(compiled)).toMatchObject([one]);
  });

  it.each<[string, object, string]>([
    [
      'a name that is an address',
      { dns: { ...dns, name: '10.0.0.1' } },
      'spec.endpoints.dns.name: "10.0.0.1" is an address: name it in spec.endpoints.static',
    ],
    [
      'a name server with a port of 0',
      { dns: { ...dns, resolvers: ['10.0.0.1:0', '10.0.0.1', '[::1]:53', '::1'] } },
      'spec.endpoints.dns.resolvers[0]: "10.0.0.1:0" must be an IP address, or one with a port from 1 to 65535',
    ],
    [
      'a name server that is no address',
      { dns: { ...dns, resolvers: ['10.0.0.1', '[10.0.0.1]:53'] } },
      'spec.endpoints.dns.resolvers[1]: "[10.0.0.1]:53" must be an IP address, or one with a port from 1 to 65535',
    ],
    [
      'times that contradict each other',
      { dns: { ...dns, minTtl: '1m', maxTtl: '30s' } },
      'spec.endpoints.dns.maxTtl: "30s" is less than minTtl, which is used for both',
    ],
    [
      'a time that is too short',
      { dns: { ...dns, minTtl: '10ms' } },
      'spec.endpoints.dns.minTtl: "10ms" must be from "1s" to "1h"',
    ],
    [
      'a port of 0',
      { consul: { ...consul, address: 'http://consul:0' } },
      'spec.endpoints.consul.address: "http://consul:0" must be an http or https URL with a port from 1 to 65535',
    ],
    [
      'a port that is none',
      { consul: { ...consul, address: 'http://consul:99999' } },
      'spec.endpoints.consul.address: "http://consul:99999" must be an http or https URL with a port from 1 to 65535',
    ],
  ])('%s is told and leaves the last list in use', (_, endpoints, message) => {
    const objects = [upstream(endpoints)];
    const compiled = compile(input(objects, discovery({ endpoints: [one] })));
    expect(conditionsOf(compiled)[0]).toBe(`Accepted=True PartiallyInvalid ${message}`);
    expect(endpointsIn(compiled)).toMatchObject([one]);
    expect(compile(input(objects)).keep).toEqual(new Set([key]));
  });
});
