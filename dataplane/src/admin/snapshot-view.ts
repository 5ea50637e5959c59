import { type DescMessage, fromBinary, toJson } from '@bufbuild/protobuf';
import {
  EndpointsSchema,
  hex,
  Kind,
  keyOf,
  ListenerSchema,
  PolicySchema,
  type Resource,
  type ResourceSet,
  RouteSchema,
  SecretSchema,
  UpstreamSchema,
  versionOf,
} from '@gatehouse/snapshot';

import { endpointId } from '../upstreams/endpoint.ts';
import type { AdminSource } from './admin.ts';

const schemas: Partial<Record<Kind, DescMessage>> = {
  [Kind.LISTENER]: ListenerSchema,
  [Kind.ROUTE]: RouteSchema,
  [Kind.UPSTREAM]: UpstreamSchema,
  [Kind.ENDPOINTS]: EndpointsSchema,
  [Kind.POLICY]: PolicySchema,
};

/**
 * The live snapshot as JSON. Of a Secret only its type and the names of its keys are shown; rules of
 * policies name Secrets and hold none.
 */
export function configView(config: ResourceSet, endpoints: ResourceSet) {
  return {
    version: versionOf(config),
    endpointsVersion: versionOf(endpoints),
    listeners: view(config, Kind.LISTENER),
    routes: view(config, Kind.ROUTE),
    upstreams: view(config, Kind.UPSTREAM),
    endpoints: view(endpoints, Kind.ENDPOINTS),
    policies: view(config, Kind.POLICY),
    secrets: view(config, Kind.SECRET),
  };
}

function view(set: ResourceSet, kind: Kind) {
  return [...set.values()]
    .filter((resource) => resource.kind === kind)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((resource) => ({
      name: resource.name,
      hash: hex(resource.hash),
      ...bodyOf(resource),
    }));
}

function bodyOf({ kind, body }: Resource): { spec: unknown } {
  if (kind === Kind.SECRET) {
    const { type, data } = fromBinary(SecretSchema, body);
    return { spec: { type, keys: Object.keys(data).sort(), data: '(redacted)' } };
  }
  const schema = schemas[kind];
  return { spec: schema ? toJson(schema, fromBinary(schema, body)) : {} };
}

/** One line a service: an Upstream of the snapshot. */
export function servicesView(config: ResourceSet, endpoints: ResourceSet) {
  return [...config.values()]
    .filter(({ kind }) => kind === Kind.UPSTREAM)
    .map(({ name, body }) => ({
      name: fromBinary(UpstreamSchema, body).label,
      resource: name,
      endpoints: endpointsOf(name, endpoints).length,
    }))
    .sort((a, b) => (a.resource < b.resource ? -1 : 1));
}

/** Endpoints of the services with that label or resource name; undefined when there is none. */
export function endpointsView(
  wanted: string,
  source: Pick<AdminSource, 'config' | 'endpoints' | 'endpointState'>,
) {
  const endpoints = source.endpoints();
  const services = servicesView(source.config(), endpoints).filter(
    ({ name, resource }) => name === wanted || resource === wanted,
  );
  if (services.length === 0) return undefined;
  return {
    name: wanted,
    endpoints: services.flatMap(({ resource }) =>
      endpointsOf(resource, endpoints).map(({ address, port, weight, zone }) => ({
        address,
        port,
        weight,
        ...(zone === '' ? {} : { zone }),
        resource,
        ...source.endpointState(resource, endpointId(address, port)),
      })),
    ),
  };
}

function endpointsOf(name: string, endpoints: ResourceSet) {
  const resource = endpoints.get(keyOf(Kind.ENDPOINTS, name));
  return resource ? fromBinary(EndpointsSchema, resource.body).endpoints : [];
}
