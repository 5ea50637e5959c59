import type { SrvRecord } from 'node:dns';
import type { Resolver } from 'node:dns/promises';
import { type DnsSource, dnsPath } from '../../compile/discovery-source.ts';
import type { Mistake } from '../../compile/status.ts';
import type { DiscoveredEndpoint } from '../../store/discovery.ts';
import { byAddress } from '../discovery/order.ts';
import { type Address, addressesOf, isDnsError, orNothing } from './addresses.ts';

export type Resolution = {
  /** Sorted by address and port. */
  endpoints: DiscoveredEndpoint[];
  /** Seconds for which all of it may be used. */
  ttl: number;
  /** Why some were left out. */
  mistakes: Mistake[];
};

/** Seconds; c-ares does not tell the TTLs of SRV records. */
const srvTtl = 30;
/** So many names are asked for at one time. */
const atOnce = 16;
/** So many are named in a mistake. */
const mostNames = 3;

/** @throws what node:dns throws; what has no records has no endpoints. */
export async function resolve(source: DnsSource, resolver: Resolver): Promise<Resolution> {
  const { name, port, records } = source;
  if (records === 'SRV') return resolveServices(name, resolver);
  const addresses = await addressesOf(resolver, name, records);
  const endpoints = addresses.map(({ address }) => ({ address, port, weight: 1, zone: '' }));
  return { endpoints: distinct(endpoints), ttl: leastTtl(addresses), mistakes: [] };
}

/** Those of the first priority that has an address (RFC 2782). */
async function resolveServices(name: string, resolver: Resolver): Promise<Resolution> {
  const records = await orNothing(resolver.resolveSrv(name));
  const mistakes: Mistake[] = [];
  const usable = withPorts(records, mistakes);
  const groups = Map.groupBy(usable, ({ priority }) => priority);
  for (const [, group] of [...groups].sort(([a], [b]) => a - b)) {
    const found = await resolveGroup(group, resolver, mistakes);
    if (found.endpoints.length > 0) return { ...found, mistakes };
  }
  return { endpoints: [], ttl: srvTtl, mistakes };
}

function withPorts(records: readonly SrvRecord[], mistakes: Mistake[]): SrvRecord[] {
  // "A Target of '.' means that the service is decidedly not available" (RFC 2782).
  const targets = records.filter(({ name }) => name !== '' && name !== '.');
  if (targets.length === 0 && records.length > 0) {
    mistakes.push(mistake('the only target is ".": the service is said to be nowhere'));
  }
  const without = targets.filter(({ port }) => port === 0).map(({ name }) => name);
  if (without.length > 0) {
    mistakes.push(mistake(`targets are left out whose port is 0 (${some(without)})`));
  }
  return targets.filter(({ port }) => port > 0);
}

async function resolveGroup(group: SrvRecord[], resolver: Resolver, mistakes: Mistake[]) {
  const names = [...new Set(group.map(({ name }) => name))].sort();
  const found = new Map<string, Address[]>();
  const lost: string[] = [];
  for (let i = 0; i < names.length; i += atOnce) {
    await Promise.all(
      names.slice(i, i + atOnce).map(async (name) => {
        try {
          const addresses = await addressesOf(resolver, name, 'Address');
          if (addresses.length > 0) found.set(name, addresses);
          else lost.push(name);
        } catch (error) {
          // A server that fails just now must not take an endpoint away.
          if (!isDnsError(error, 'ENOTFOUND')) throw error;
          lost.push(name);
        }
      }),
    );
  }
  if (lost.length > 0) {
    mistakes.push(mistake(`targets are left out that have no address (${some(lost.sort())})`));
  }
  const endpoints = group.flatMap(({ name, port, weight }) =>
    // A weight of 0 is "a very small chance" beside others, and no weight at all among its like.
    (found.get(name) ?? []).map(({ address }) => ({
      address,
      port,
      weight: Math.max(weight, 1),
      zone: '',
    })),
  );
  const ttl = leastTtl([...found.values()].flat());
  return { endpoints: distinct(endpoints), ttl: Math.min(ttl, srvTtl) };
}

function distinct(endpoints: DiscoveredEndpoint[]): DiscoveredEndpoint[] {
  const byName = new Map<string, DiscoveredEndpoint>();
  for (const one of endpoints.sort((a, b) => byAddress(a, b) || b.weight - a.weight)) {
    const key = `${one.address} ${one.port}`;
    if (!byName.has(key)) byName.set(key, one);
  }
  return [...byName.values()];
}

function leastTtl(addresses: readonly Address[]): number {
  return Math.min(...addresses.map(({ ttl }) => ttl), 2 ** 31);
}

function mistake(reason: string): Mistake {
  return { path: `${dnsPath}.name`, reason };
}

function some(names: readonly string[]): string {
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return `${names.slice(0, mostNames).join(', ')}${more}`;
}
