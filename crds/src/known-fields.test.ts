import { describe, expect, it } from 'vitest';
import { knownFields, pathText, validateObject } from './index.ts';

describe('known fields', () => {
  const route = {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Route',
    metadata: { name: 'a', managedFields: [{}], labels: { x: 'y' } },
    spec: {
      rules: [{ name: 'r', matches: [{ path: { type: 'Exact', value: '/' }, cookies: [] }] }],
      hosts: ['a'],
    },
    status: { conditions: [] },
    kindOfNew: true,
  };

  it('leaves out what this release does not know and says what', () => {
    const { value, unknown } = knownFields('Route', route);
    expect(value).toEqual({
      apiVersion: 'gatehouse.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'a', labels: { x: 'y' } },
      spec: { rules: [{ name: 'r', matches: [{ path: { type: 'Exact', value: '/' } }] }] },
      status: {},
    });
    expect(unknown.map(pathText)).toEqual([
      'spec.rules[0].matches[0].cookies',
      'spec.hosts',
      'kindOfNew',
    ]);
  });

  it('is silent about fields of other kinds', () => {
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'a', ownerReferences: [] },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], deprecatedTopology: { a: 'b' }, nodeName: 'n' }],
      ports: null,
    };
    const { value, unknown } = knownFields('EndpointSlice', slice);
    expect(unknown).toEqual([]);
    expect(validateObject(value)).toEqual({
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'a' },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.0.0.1'] }],
      },
    });
  });

  it.each([[null], ['text'], [[]], [7]])('returns %j as it is', (value) => {
    expect(knownFields('Route', value)).toEqual({ value, unknown: [] });
  });

  it('keeps an inherited name out', () => {
    const { unknown } = knownFields('Upstream', JSON.parse('{"__proto__": 1, "toString": 2}'));
    expect(unknown.map(pathText)).toEqual(['__proto__', 'toString']);
  });
});
