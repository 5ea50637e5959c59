import { isIP } from 'node:net';
import { consulPath } from '../../compile/discovery-source.ts';
import type { Mistake } from '../../compile/status.ts';
import type { DiscoveredEndpoint } from '../../store/discovery.ts';
import { byAddress } from '../discovery/order.ts';

export type Instances = {
  /** How many there are, usable or not. */
  count: number;
  /** Sorted by address and port; of an address that is registered twice the larger weight. */
  endpoints: DiscoveredEndpoint[];
  /** Why some were left out. */
  mistakes: Mistake[];
};

/** Largest weight that Consul takes. */
const mostWeight = 65_535;
/** So many instances are named in a mistake. */
const mostNames = 3;

const kinds = {
  address: 'have no IP address: register them with one, or use spec.endpoints.dns',
  port: 'have no port from 1 to 65535: register them with theirs',
  weight: 'have the weight 0: give one of them another (Weights.Passing)',
};

/**
 * Reads the answer of /v1/health/service.
 * @param zoneMeta under which key of the metadata of a node its zone stands.
 * @returns undefined when it is none.
 */
export function readInstances(body: unknown, zoneMeta: string): Instances | undefined {
  if (!Array.isArray(body)) return undefined;
  const found = new Map<string, DiscoveredEndpoint>();
  const left: Record<keyof typeof kinds, string[]> = { address: [], port: [], weight: [] };
  for (const item of body as unknown[]) {
    const { Node: node, Service: service } = fieldsOf(item);
    const { ID: id, Address: own, Port: port, Weights: weights } = fieldsOf(service);
    const { Node: host, Address: shared, Meta: meta } = fieldsOf(node);
    if (typeof id !== 'string' || typeof host !== 'string') return undefined;
    const address = own || shared;
    const weight = weightOf(fieldsOf(weights).Passing);
    const name = `${id} on ${host}`;
    if (typeof address !== 'string' || isIP(address) === 0) left.address.push(name);
    else if (!isPort(port)) left.port.push(name);
    else if (weight === 0) left.weight.push(name);
    else {
      const key = `${address} ${port}`;
      const before = found.get(key)?.weight ?? 0;
      if (weight > before) {
        found.set(key, { address, port, weight, zone: zoneOf(fieldsOf(meta)[zoneMeta]) });
      }
    }
  }
  // To weigh nothing is how an instance is taken out; when all are, nobody meant it.
  if (found.size > 0) left.weight = [];
  return {
    count: body.length,
    endpoints: [...found.values()].sort(byAddress),
    mistakes: (['address', 'port', 'weight'] as const).flatMap((kind) =>
      left[kind].length === 0 ? [] : [mistakeOf(left[kind].sort(), kinds[kind])],
    ),
  };
}

function mistakeOf(names: string[], what: string): Mistake {
  const shown = names.slice(0, mostNames).map((name) => JSON.stringify(name.slice(0, 128)));
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  const reason = `instances are left out that ${what} (${shown.join(', ')}${more})`;
  return { path: `${consulPath}.service`, reason };
}

function weightOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) return 1;
  return Math.min(Math.max(value, 0), mostWeight);
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function zoneOf(value: unknown): string {
  return typeof value === 'string' && value.length <= 253 ? value : '';
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
