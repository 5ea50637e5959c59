import { type GatewayObject, validateObject } from '@gatehouse/crds';
import { splitKey } from '@gatehouse/snapshot';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourcesOf } from './golden-case.ts';
import { compile } from './index.ts';

type Claim = { port: number; hostname?: string };

/** A Gateway with one HTTP listener, created in January of a year. */
function gateway(id: string, year: number, { port, hostname }: Claim): GatewayObject {
  const [namespace, name] = id.split('/');
  const validated = validateObject({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace, creationTimestamp: `${year}-01-01T00:00:00Z` },
    spec: {
      gatewayClassName: 'gatehouse',
      listeners: [{ name: 'http', protocol: 'HTTP', port, ...(hostname ? { hostname } : {}) }],
    },
  });
  if (!('object' in validated) || validated.object.kind !== 'Gateway')
    throw new Error('no Gateway');
  return validated.object;
}

/** What became of each Gateway: "" when its listener is served, else what Conflicted says. */
function outcomes(gateways: GatewayObject[]): Record<string, string> {
  const { config, statuses } = compile(resourcesOf(gateways));
  const served = new Set([...config.keys()].map(splitKey).map(({ name }) => name));
  return Object.fromEntries(
    statuses.map(({ namespace, name, listeners }) => {
      const conflicted = listeners?.[0]?.conditions.find(({ type }) => type === 'Conflicted');
      const message = conflicted?.status === 'True' ? conflicted.message : '';
      expect(served.has(`${namespace}/${name}/http`)).toBe(message === '');
      return [`${namespace}/${name}`, message];
    }),
  );
}

const winner = (id: string, why: string) =>
  expect.stringMatching(
    `^listener "http" of Gateway "${id}", which ${why}, serves .* on port 80: use`,
  );

describe('of two Gateways that claim one listener', () => {
  const web = { port: 80 };
  it.each<[string, GatewayObject[], Record<string, unknown>]>([
    [
      'the older one is served',
      [gateway('a/a', 2026, web), gateway('z/z', 2025, web)],
      { 'a/a': winner('z/z', 'is older'), 'z/z': '' },
    ],
    [
      'of the same age the first by namespace is served',
      [gateway('b/a', 2026, web), gateway('a/b', 2026, web)],
      { 'a/b': '', 'b/a': winner('a/b', 'comes first by name') },
    ],
    [
      'of the same age and namespace the first by name is served',
      [gateway('a/b', 2026, web), gateway('a/a', 2026, web)],
      { 'a/a': '', 'a/b': winner('a/a', 'comes first by name') },
    ],
    [
      'of one host the older one is served',
      [
        gateway('a/a', 2026, { port: 80, hostname: 'shop.example.com' }),
        gateway('z/z', 2025, { port: 80, hostname: 'shop.example.com' }),
      ],
      { 'a/a': winner('z/z', 'is older'), 'z/z': '' },
    ],
    [
      'both are served on different ports, hosts, or a host and a wildcard',
      [
        gateway('a/a', 2026, web),
        gateway('a/b', 2025, { port: 81 }),
        gateway('a/c', 2024, { port: 80, hostname: 'shop.example.com' }),
        gateway('a/d', 2023, { port: 80, hostname: '*.example.com' }),
      ],
      { 'a/a': '', 'a/b': '', 'a/c': '', 'a/d': '' },
    ],
  ])('%s', (_, gateways, expected) => {
    expect(outcomes(gateways)).toEqual(expected);
    expect(outcomes([...gateways].reverse())).toEqual(expected);
  });

  it('the other is served as soon as the first goes or lets go', () => {
    const old = gateway('z/z', 2025, web);
    const young = gateway('a/a', 2026, web);
    expect(outcomes([young, old])['a/a']).not.toBe('');
    expect(outcomes([young])).toEqual({ 'a/a': '' });
    expect(outcomes([young, gateway('z/z', 2025, { port: 81 })])).toEqual({ 'a/a': '', 'z/z': '' });
  });

  it('exactly one is served, and all others name it, whatever the order', () => {
    const drawn = fc.uniqueArray(
      fc.record({
        id: fc.constantFrom('a/a', 'a/b', 'b/a', 'b/b', 'c/a'),
        year: fc.integer({ min: 2020, max: 2022 }),
        port: fc.constantFrom(80, 81),
        hostname: fc.constantFrom('', 'shop.example.com', '*.example.com'),
      }),
      { selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(drawn, (claims) => {
        const found = outcomes(claims.map(({ id, year, ...claim }) => gateway(id, year, claim)));
        const groups = Map.groupBy(claims, ({ port, hostname }) => `${port} ${hostname}`);
        for (const group of groups.values()) {
          const inTurn = group.sort((x, y) => x.year - y.year || (x.id < y.id ? -1 : 1));
          const [first, ...others] = inTurn.map(({ id }) => id);
          expect(found[first ?? '']).toBe('');
          for (const id of others) expect(found[id]).toContain(`Gateway "${first}"`);
        }
      }),
    );
  });
});
