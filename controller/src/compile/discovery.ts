import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SecretObject } from '@gatehouse/crds';
import type { EndpointSchema } from '@gatehouse/snapshot';
import type { DiscoveredEndpoint, DiscoveryObject } from '../store/discovery.ts';
import { consulSecrets } from './consul-secrets.ts';
import { compareText, namespaceOf } from './resources.ts';
import type { BrokenRef } from './status.ts';
import type { CheckedUpstream } from './upstream.ts';

/** A list that was found, as the data planes take it. */
export function discoveredEndpoints(
  found: readonly DiscoveredEndpoint[],
): MessageInitShape<typeof EndpointSchema>[] {
  return found
    .map(({ address, port, weight, zone }) => ({
      address,
      port,
      weight,
      zone,
      hintedZones: zone === '' ? [] : [zone],
    }))
    .sort((a, b) => compareText(a.address, b.address) || a.port - b.port);
}

/** What stands in the way of the endpoints of an Upstream, and what is to be told else. */
export function discoveryState(
  { source, object }: CheckedUpstream,
  discovery: DiscoveryObject | undefined,
  secrets: ReadonlyMap<string, SecretObject>,
): { broken: BrokenRef[]; note: string } {
  if (source === undefined) return { broken: [], note: '' };
  const namespace = namespaceOf(object);
  const secretOf = (name: string) => secrets.get(`${namespace}/${name}`);
  const needed = source.kind === 'consul' ? consulSecrets(source, namespace, secretOf) : undefined;
  if (needed && 'broken' in needed) return { broken: withRest(needed.broken, discovery), note: '' };
  if (discovery === undefined) return { broken: [], note: 'endpoints are not known yet' };
  const { mistakes, stale, note } = discovery;
  const broken = mistakes.map((mistake) => ({ code: 'DiscoveryFailed' as const, ...mistake }));
  return { broken: stale ? withRest(broken, discovery) : broken, note };
}

/** The last sentence of the condition says what goes on all the same. */
function withRest(broken: BrokenRef[], discovery: DiscoveryObject | undefined): BrokenRef[] {
  const { endpoints } = discovery ?? {};
  const rest =
    endpoints === undefined
      ? 'no list is known; data planes that have one keep it'
      : `the last list stays in use (endpoints: ${endpoints.length})`;
  return broken.map((one, i) =>
    i === broken.length - 1 ? { ...one, reason: `${one.reason}; ${rest}` } : one,
  );
}
