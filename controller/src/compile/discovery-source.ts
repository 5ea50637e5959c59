import { isIP } from 'node:net';
import {
  type ConsulEndpoints,
  type DnsEndpoints,
  defaults,
  type UpstreamSpec,
} from '@gatehouse/crds';
import { milliseconds } from './durations.ts';
import type { Report } from './status.ts';

type SecretRef = NonNullable<ConsulEndpoints['tokenSecretRef']>;

/** Which service of which Consul is asked for. */
export type ConsulSource = {
  kind: 'consul';
  address: URL;
  service: string;
  datacenter: string | undefined;
  tags: readonly string[];
  zoneMeta: string;
  tokenRef: SecretRef | undefined;
  caRef: SecretRef | undefined;
  serverName: string | undefined;
};

/** Which name is asked for, and whom. */
export type DnsSource = {
  kind: 'dns';
  name: string;
  records: NonNullable<DnsEndpoints['records']>;
  /** 0 for SRV records, which tell ports. */
  port: number;
  /** As node:dns takes them; those of the system when empty. */
  resolvers: readonly string[];
  /** Milliseconds. */
  minTtl: number;
  maxTtl: number;
};

/** What is asked for the endpoints of an Upstream. */
export type DiscoverySource = ConsulSource | DnsSource;

export const consulPath = 'spec.endpoints.consul';
export const dnsPath = 'spec.endpoints.dns';

const second = 1000;
const hour = 3600 * second;

/**
 * Undefined when nobody is to be asked, or nobody can be: then the list that is known stays. What is not
 * sound is told, and left out where the rest makes sense without it.
 */
export function discoverySource(
  { consul, dns }: UpstreamSpec['endpoints'],
  report: Report,
): DiscoverySource | undefined {
  return consul ? consulSource(consul, report) : dns && dnsSource(dns, report);
}

function consulSource(consul: ConsulEndpoints, report: Report): ConsulSource | undefined {
  const { service, datacenter, tags = [], zoneMeta = defaults.consulZoneMeta } = consul;
  const address = URL.parse(consul.address);
  if (address === null || address.port === '0') {
    const reason = 'must be an http or https URL with a port from 1 to 65535';
    report(`${consulPath}.address`, `"${consul.address}" ${reason}`);
    return undefined;
  }
  return {
    kind: 'consul',
    address,
    service,
    datacenter,
    tags,
    zoneMeta,
    tokenRef: consul.tokenSecretRef,
    caRef: consul.tls?.caSecretRef,
    serverName: consul.tls?.serverName,
  };
}

function dnsSource(dns: DnsEndpoints, report: Report): DnsSource | undefined {
  const { name, records = defaults.dnsRecords, port = 0 } = dns;
  const resolvers = dns.resolvers?.filter((server, i) => {
    if (isNameServer(server)) return true;
    const reason = 'must be an IP address, or one with a port from 1 to 65535';
    report(`${dnsPath}.resolvers[${i}]`, `"${server}" ${reason}`);
    return false;
  });
  const minTtl = bounded('minTtl', dns.minTtl ?? defaults.dnsMinTtl, second, hour, report);
  const longest = dns.maxTtl ?? defaults.dnsMaxTtl;
  const maxTtl = bounded('maxTtl', longest, second, 24 * hour, report);
  if (maxTtl < minTtl) {
    report(`${dnsPath}.maxTtl`, `"${longest}" is less than minTtl, which is used for both`);
  }
  if (isIP(name) !== 0) {
    report(`${dnsPath}.name`, `"${name}" is an address: name it in spec.endpoints.static`);
    return undefined;
  }
  // Others than those that were meant must not be asked.
  if (resolvers?.length === 0) return undefined;
  return {
    kind: 'dns',
    name,
    records,
    port,
    resolvers: resolvers ?? [],
    minTtl,
    maxTtl: Math.max(minTtl, maxTtl),
  };
}

/** Brought into its bounds. */
function bounded(field: string, text: string, least: number, most: number, report: Report): number {
  const path = `${dnsPath}.${field}`;
  const value = milliseconds(text, path, report);
  if (value < least || value > most) {
    report(path, `"${text}" must be from "1s" to "${most / hour}h"`);
  }
  return Math.min(Math.max(value, least), most);
}

function isNameServer(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const [, six, four, digits = '53'] = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d+))?$/.exec(text) ?? [];
  const port = Number(digits);
  const known = six === undefined ? isIP(four ?? '') === 4 : isIP(six) === 6;
  return known && port >= 1 && port <= 65_535;
}
