import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInstances } from './instances.ts';

const instance = (id: string, service: object, node: object = {}) => ({
  Node: { Node: 'n1', Address: '10.0.0.1', ...node },
  Service: { ID: id, Address: '', Port: 80, ...service },
});
const listOf = (...instances: unknown[]) => readInstances(instances, 'zone')?.endpoints;

describe('instances of Consul', () => {
  it('are sorted, and weigh what they weigh while they pass', () => {
    expect(
      listOf(
        instance('c', { Address: '10.0.0.3', Weights: { Passing: 3, Warning: 1 } }),
        instance('b', { Port: 81 }, { Meta: { zone: 'a' } }),
        instance('a', { Weights: { Passing: 65_536 } }, { Meta: { zone: 7 } }),
      ),
    ).toEqual([
      { address: '10.0.0.1', port: 80, weight: 65_535, zone: '' },
      { address: '10.0.0.1', port: 81, weight: 1, zone: 'a' },
      { address: '10.0.0.3', port: 80, weight: 3, zone: '' },
    ]);
  });

  it('that weigh nothing beside others are left out and not told', () => {
    const nothing = { Address: '10.0.0.2', Weights: { Passing: 0 } };
    const read = readInstances([instance('a', {}), instance('b', nothing)], 'zone');
    expect(read).toMatchObject({ count: 2, endpoints: [{ address: '10.0.0.1' }], mistakes: [] });
  });

  it('of one address are one, with the larger weight', () => {
    const weights = [2, 9, 4].map((Passing, i) => instance(`${i}`, { Weights: { Passing } }));
    expect(listOf(...weights)).toMatchObject([{ weight: 9 }]);
  });

  it('are named three at a time', () => {
    const without = Array.from({ length: 5 }, (_, i) => instance(`i${i}`, { Port: 0 }));
    expect(readInstances(without, 'zone')?.mistakes).toMatchObject([
      { reason: expect.stringContaining('("i0 on n1", "i1 on n1", "i2 on n1" and 2 more)') },
    ]);
  });

  it('may be anything, and the same whatever their order', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.constant(undefined));
    const port = fc.oneof(fc.integer({ min: -1, max: 70_000 }), anything);
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant(''), anything);
    const service = fc.record({
      ID: fc.string(),
      Address: address,
      Port: port,
      Weights: fc.oneof(fc.record({ Passing: port }), anything),
    });
    const node = fc.record({ Node: fc.string(), Address: address, Meta: anything });
    const entry = fc.oneof(
      { weight: 9, arbitrary: fc.record({ Node: node, Service: service }) },
      anything,
    );
    fc.assert(
      fc.property(fc.oneof(fc.array(entry), anything), (body) => {
        const read = readInstances(body, 'zone');
        if (read === undefined) return;
        for (const { address, port, weight, zone } of read.endpoints) {
          expect(isIP(address)).toBeGreaterThan(0);
          expect(port >= 1 && port <= 65_535 && weight >= 1 && weight <= 65_535).toBe(true);
          expect(typeof zone).toBe('string');
        }
        const names = read.endpoints.map(({ address, port }) => `${address} ${port}`);
        expect(new Set(names).size).toBe(names.length);
        const reversed = readInstances([...(body as unknown[])].reverse(), 'zone');
        expect(reversed?.mistakes).toEqual(read.mistakes);
        expect(reversed?.endpoints.map(({ weight }) => weight)).toEqual(
          read.endpoints.map(({ weight }) => weight),
        );
      }),
    );
  });
});
