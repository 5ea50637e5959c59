import type { DiscoveredEndpoint } from '../../store/discovery.ts';

/** The order of lists, in which the same endpoints always are the same list. */
export function byAddress(a: DiscoveredEndpoint, b: DiscoveredEndpoint): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port;
}
