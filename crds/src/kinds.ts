import { endpointSliceFields } from './resources/endpoint-slice.ts';
import { gatewaySpec } from './resources/gateway.ts';
import { routeSpec } from './resources/route.ts';
import { secretFields } from './resources/secret.ts';
import { serviceSpec } from './resources/service.ts';
import { upstreamSpec } from './resources/upstream.ts';
import { metadata } from './schema/metadata.ts';
import { oneOf, openObject, optional, type Static, type TSchema } from './schema/schema.ts';

export const group = 'gatehouse.dev';
export const version = 'v1alpha1';

function kind<const A extends string, const K extends string, P extends Record<string, TSchema>>(
  apiVersion: A,
  kindName: K,
  fields: P,
  description: string,
) {
  return openObject(
    {
      apiVersion: oneOf([apiVersion], { description: 'Version of the schema.' }),
      kind: oneOf([kindName], { description: 'Kind of the object.' }),
      metadata,
      ...fields,
    },
    { description },
  );
}

/** Schema of every kind that Gatehouse reads, by kind. */
export const kinds = {
  Route: kind(`${group}/${version}`, 'Route', { spec: routeSpec }, 'Which requests go where.'),
  Upstream: kind(
    `${group}/${version}`,
    'Upstream',
    { spec: upstreamSpec },
    'A group of endpoints.',
  ),
  Gateway: kind('gateway.networking.k8s.io/v1', 'Gateway', { spec: gatewaySpec }, 'Listeners.'),
  Service: kind('v1', 'Service', { spec: optional(serviceSpec) }, 'A Service of Kubernetes.'),
  EndpointSlice: kind(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    endpointSliceFields,
    'Endpoints of a Service.',
  ),
  Secret: kind('v1', 'Secret', secretFields, 'A Secret of Kubernetes.'),
};

export type Kind = keyof typeof kinds;
/** The typed object of a kind, e.g. `ObjectOf<'Route'>`. */
export type ObjectOf<K extends Kind> = Static<(typeof kinds)[K]>;
export type RouteObject = ObjectOf<'Route'>;
export type UpstreamObject = ObjectOf<'Upstream'>;
export type GatewayObject = ObjectOf<'Gateway'>;
export type ServiceObject = ObjectOf<'Service'>;
export type EndpointSliceObject = ObjectOf<'EndpointSlice'>;
export type SecretObject = ObjectOf<'Secret'>;
/** Any object that Gatehouse reads; `kind` discriminates. */
export type AnyObject = { [K in Kind]: ObjectOf<K> }[Kind];
