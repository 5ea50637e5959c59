import { type PolicyKind, policies } from './policies.ts';
import { consumerSpec } from './resources/consumer.ts';
import { endpointSliceFields } from './resources/endpoint-slice.ts';
import { gatewaySpec } from './resources/gateway.ts';
import { referenceGrantSpec } from './resources/reference-grant.ts';
import { routeSpec } from './resources/route.ts';
import { secretFields } from './resources/secret.ts';
import { serviceSpec } from './resources/service.ts';
import { upstreamSpec } from './resources/upstream.ts';
import { metadata } from './schema/metadata.ts';
import { object, oneOf, openObject, optional, type Static, type TSchema } from './schema/schema.ts';

export const group = 'gatehouse.dev';
export const version = 'v1alpha1';

function fieldsOf<const A extends string, const K extends string>(apiVersion: A, kind: K) {
  return {
    apiVersion: oneOf([apiVersion], { description: 'Version of the schema.' }),
    kind: oneOf([kind], { description: 'Kind of the object.' }),
    metadata,
  };
}

/** A kind of ours. Its status is ours to write and never read back, so any shape is tolerated. */
function ownKind<const K extends string, P extends TSchema>(kind: K, spec: P, description: string) {
  const status = optional(openObject({}, { description: 'Written by Gatehouse.' }));
  return object({ ...fieldsOf(`${group}/${version}`, kind), spec, status }, { description });
}

type PolicySchemas = {
  [K in PolicyKind]: ReturnType<typeof ownKind<K, (typeof policies)[K]['spec']>>;
};

function policySchemas(): PolicySchemas {
  const schemas = Object.entries(policies).map(([kind, { spec, description }]) => [
    kind,
    ownKind(kind, spec, description),
  ]);
  return Object.fromEntries(schemas);
}

/** A kind of somebody else, of which Gatehouse reads some fields. */
function foreignKind<
  const A extends string,
  const K extends string,
  P extends Record<string, TSchema>,
>(apiVersion: A, kind: K, fields: P, description: string) {
  return openObject({ ...fieldsOf(apiVersion, kind), ...fields }, { description });
}

/** Schema of every kind that Gatehouse reads, by kind. */
export const kinds = {
  Route: ownKind('Route', routeSpec, 'Which requests go where.'),
  Upstream: ownKind('Upstream', upstreamSpec, 'A group of endpoints.'),
  ...policySchemas(),
  Consumer: ownKind('Consumer', consumerSpec, 'A client that is known by name.'),
  Gateway: foreignKind(
    'gateway.networking.k8s.io/v1',
    'Gateway',
    { spec: gatewaySpec },
    'Listeners.',
  ),
  Service: foreignKind(
    'v1',
    'Service',
    { spec: optional(serviceSpec) },
    'A Service of Kubernetes.',
  ),
  EndpointSlice: foreignKind(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    endpointSliceFields,
    'Endpoints of a Service.',
  ),
  Secret: foreignKind('v1', 'Secret', secretFields, 'A Secret of Kubernetes.'),
  Namespace: foreignKind('v1', 'Namespace', {}, 'A namespace, for its labels.'),
  ReferenceGrant: foreignKind(
    'gateway.networking.k8s.io/v1beta1',
    'ReferenceGrant',
    { spec: referenceGrantSpec },
    'References from other namespaces that are allowed.',
  ),
};

export type Kind = keyof typeof kinds;
/** The typed object of a kind, e.g. `ObjectOf<'Route'>`. */
export type ObjectOf<K extends Kind> = Static<(typeof kinds)[K]>;
export type RouteObject = ObjectOf<'Route'>;
export type UpstreamObject = ObjectOf<'Upstream'>;
/** An object of any policy kind. */
export type PolicyObject = ObjectOf<PolicyKind>;
export type AuthPolicyObject = ObjectOf<'AuthPolicy'>;
export type ConsumerObject = ObjectOf<'Consumer'>;
export type GatewayObject = ObjectOf<'Gateway'>;
export type ServiceObject = ObjectOf<'Service'>;
export type EndpointSliceObject = ObjectOf<'EndpointSlice'>;
export type SecretObject = ObjectOf<'Secret'>;
export type NamespaceObject = ObjectOf<'Namespace'>;
export type ReferenceGrantObject = ObjectOf<'ReferenceGrant'>;
/** Any object that Gatehouse reads; `kind` discriminates. */
export type AnyObject = { [K in Kind]: ObjectOf<K> }[Kind];
