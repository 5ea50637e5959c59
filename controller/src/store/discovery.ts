import type { Mistake } from '../compile/status.ts';

/** An address that something outside of the cluster names. */
export type DiscoveredEndpoint = {
  /** IPv4 or IPv6. */
  address: string;
  /** 1 to 65535. */
  port: number;
  /** 1 to 65535. */
  weight: number;
  /** "" when it is not known. */
  zone: string;
};

/** What Consul or DNS says of the endpoints of the Upstream with the same namespace and name. */
export type DiscoveryObject = {
  kind: 'Discovery';
  metadata: { name: string; namespace: string };
  /** The last good list, sorted; undefined while there was none. */
  endpoints: readonly DiscoveredEndpoint[] | undefined;
  /** What is wrong now, with the fields that are to be looked at; paths from the root of the Upstream. */
  mistakes: readonly Mistake[];
  /** Because of the mistakes the list is an older one; else they are of parts that were left out. */
  stale: boolean;
  /** Worth telling although nothing is wrong; "" when there is nothing. */
  note: string;
};
