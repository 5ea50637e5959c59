import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { EndpointSliceObject, SecretObject } from '@gatehouse/crds';
import {
  type EndpointSchema,
  EndpointsSchema,
  Kind,
  keyOf,
  resourceOf,
  UpstreamSchema,
} from '@gatehouse/snapshot';
import type { DiscoveryObject } from '../store/discovery.ts';
import { discoveredEndpoints, discoveryState } from './discovery.ts';
import { endpointsOf } from './endpoints.ts';
import { type Keyed, keyed } from './keyed.ts';
import type { Memo } from './memo.ts';
import { type Backend, type Lookup, resolveBackend, type ServicePort } from './refs.ts';
import { idOf, namespaceOf } from './resources.ts';
import { type BrokenRef, type ObjectStatus, resolvedRefs } from './status.ts';
import { type CheckedUpstream, defaultUpstream, upstreamAccepted } from './upstream.ts';
import type { UpstreamSecrets } from './upstream-tls.ts';

export type Slices = ReadonlyMap<string, EndpointSliceObject[]>;
/** By "<namespace>/<name>" of their Upstream. */
export type Discoveries = ReadonlyMap<string, DiscoveryObject>;
/** Secrets by "<namespace>/<name>". */
type Secrets = ReadonlyMap<string, SecretObject>;

/** EndpointSlices by "<namespace>/<name>" of their Service. */
export function slicesByService(slices: readonly EndpointSliceObject[]): Slices {
  const groups = new Map<string, EndpointSliceObject[]>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (service === undefined) continue;
    const id = `${namespaceOf(slice)}/${service}`;
    const group = groups.get(id);
    if (group) group.push(slice);
    else groups.set(id, [slice]);
  }
  return groups;
}

/** @param own Secrets by which it connects. */
export function upstreamResource(
  backend: Backend,
  { names }: UpstreamSecrets,
  memo: Memo<string, Keyed>,
): Keyed {
  const { upstream } = backend;
  const decides = backend.kind === 'Upstream' ? backend.checked : backend.h2c;
  const { authorities, clientCertificate } = names;
  return memo.get(upstream, [decides, authorities, clientCertificate], () => {
    const { tls, ...message } =
      backend.kind === 'Upstream'
        ? backend.checked.message
        : defaultUpstream(backend.service.metadata.name, backend.h2c);
    const init = tls ? { ...message, tls: { ...tls, ...names } } : message;
    return keyed(resourceOf(Kind.UPSTREAM, upstream, UpstreamSchema, create(UpstreamSchema, init)));
  });
}

/** Undefined while nothing is known of them: whoever holds endpoints of the Upstream keeps those. */
export function endpointsResource(
  backend: Backend,
  slices: Slices,
  discoveries: Discoveries,
  lookup: Lookup,
  memo: Memo<string, Keyed>,
): Keyed | undefined {
  const { upstream } = backend;
  if (backend.kind === 'Upstream' && backend.checked.discovered) {
    const found = discoveries.get(idOf(backend.checked.object))?.endpoints;
    return (
      found && memo.get(upstream, [found], () => endpointList(upstream, discoveredEndpoints(found)))
    );
  }
  const source = backend.kind === 'Upstream' ? serviceOf(backend.checked, lookup) : backend;
  if (source === undefined || 'code' in source) {
    const fixed = backend.kind === 'Upstream' ? backend.checked.static : [];
    return memo.get(upstream, [fixed], () => endpointList(upstream, fixed));
  }
  const own = slices.get(idOf(source.service)) ?? [];
  return memo.get(upstream, [source.name, ...own], () =>
    endpointList(upstream, endpointsOf(own, source.name)),
  );
}

function endpointList(
  upstream: string,
  endpoints: MessageInitShape<typeof EndpointSchema>[],
): Keyed {
  const message = create(EndpointsSchema, { endpoints });
  return keyed(resourceOf(Kind.ENDPOINTS, upstream, EndpointsSchema, message));
}

/** The Service port behind an Upstream; undefined when its endpoints are a fixed list. */
function serviceOf(
  { service }: CheckedUpstream,
  lookup: Lookup,
): ServicePort | BrokenRef | undefined {
  if (!service) return undefined;
  const found = resolveBackend(service, lookup);
  return 'code' in found || found.kind === 'Service' ? found : undefined;
}

/**
 * @param own Secrets by which it connects.
 * @param used whether a Route of the snapshot refers to it.
 */
export function upstreamStatus(
  checked: CheckedUpstream,
  {
    lookup,
    discoveries,
    secrets,
    own,
    used,
  }: {
    lookup: Lookup;
    discoveries: Discoveries;
    secrets: Secrets;
    own: UpstreamSecrets;
    used: boolean;
  },
): ObjectStatus {
  const { object } = checked;
  const state = discoveryState(checked, discoveries.get(idOf(object)), secrets);
  const source = serviceOf(checked, lookup);
  const name = `upstream/${idOf(object)}`;
  return {
    kind: 'Upstream',
    namespace: namespaceOf(object),
    name: object.metadata.name,
    generation: object.metadata.generation ?? 0,
    conditions: [
      upstreamAccepted(checked),
      resolvedRefs(
        [...(source !== undefined && 'code' in source ? [source] : state.broken), ...own.broken],
        state.note,
      ),
    ],
    resources: used
      ? [
          keyOf(Kind.UPSTREAM, name),
          keyOf(Kind.ENDPOINTS, name),
          ...own.resources.map(({ kind, name }) => keyOf(kind, name)),
        ]
      : [],
  };
}
