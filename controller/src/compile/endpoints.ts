import { isIP } from 'node:net';
import { create } from '@bufbuild/protobuf';
import type { EndpointSliceObject } from '@gatehouse/crds';
import { type Endpoint, EndpointSchema } from '@gatehouse/snapshot';
import { compareText } from './resources.ts';

type SliceEndpoint = EndpointSliceObject['endpoints'][number];

/**
 * Endpoints of a Service port (KEP-1669, as kube-proxy picks them): those that are ready; when none
 * is, those that still serve while they terminate. Of a Service with both families the IPv4 addresses
 * are used: the IPv6 ones are the same pods.
 *
 * @param portName name of the Service port; "" when it has none.
 */
export function endpointsOf(slices: readonly EndpointSliceObject[], portName: string): Endpoint[] {
  for (const family of ['IPv4', 'IPv6'] as const) {
    const ofFamily = slices.filter(({ addressType }) => addressType === family);
    for (const usable of [isReady, isServing]) {
      const endpoints = ofFamily.flatMap((slice) => endpointsIn(slice, portName, usable));
      if (endpoints.length > 0) return inOrder(endpoints);
    }
  }
  return [];
}

function isReady({ conditions = {} }: SliceEndpoint): boolean {
  return conditions.ready !== false && conditions.terminating !== true;
}

function isServing({ conditions = {} }: SliceEndpoint): boolean {
  return conditions.terminating === true && (conditions.serving ?? conditions.ready) !== false;
}

function endpointsIn(
  slice: EndpointSliceObject,
  portName: string,
  usable: (endpoint: SliceEndpoint) => boolean,
): Endpoint[] {
  const port = slice.ports?.find(
    ({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP',
  )?.port;
  if (port === undefined) return [];
  return slice.endpoints
    .filter(usable)
    .flatMap(({ addresses: [address = ''], zone = '', hints = {} }) => {
      if (isIP(address) === 0) return [];
      const hintedZones = (hints.forZones ?? []).map(({ name }) => name).sort();
      return [create(EndpointSchema, { address, port, weight: 1, zone, hintedZones })];
    });
}

/** By address and port; an endpoint that several slices list counts once. */
function inOrder(endpoints: Endpoint[]): Endpoint[] {
  endpoints.sort(
    (a, b) =>
      compareText(a.address, b.address) ||
      a.port - b.port ||
      compareText(a.zone, b.zone) ||
      compareText(a.hintedZones.join(), b.hintedZones.join()),
  );
  return endpoints.filter(({ address, port }, i) => {
    const before = endpoints[i - 1];
    return before === undefined || before.address !== address || before.port !== port;
  });
}
