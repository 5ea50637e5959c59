import { create } from '@bufbuild/protobuf';
import {
  EndpointsSchema,
  emptySet,
  Kind,
  keyOf,
  type Resource,
  type ResourceSet,
  RouteSchema,
  resourceOf,
  UpstreamSchema,
  versionOf,
} from '@gatehouse/snapshot';
import type { Snapshot } from '../fleet.ts';

/** Resources whose content is a number, for tests. */
export function route(name: string, content: number): Resource {
  const body = create(RouteSchema, { created: BigInt(content) });
  return resourceOf(Kind.ROUTE, name, RouteSchema, body);
}

export function upstream(name: string, content: number): Resource {
  const body = create(UpstreamSchema, { connectTimeoutMs: content });
  return resourceOf(Kind.UPSTREAM, name, UpstreamSchema, body);
}

export function endpoints(name: string, port: number): Resource {
  const body = create(EndpointsSchema, { endpoints: [{ address: '10.0.0.1', port }] });
  return resourceOf(Kind.ENDPOINTS, name, EndpointsSchema, body);
}

export function setOf(...resources: Resource[]): ResourceSet {
  return new Map(resources.map((resource) => [keyOf(resource.kind, resource.name), resource]));
}

export function snapshotOf(config: ResourceSet, ends: ResourceSet = emptySet): Snapshot {
  return {
    config,
    configVersion: versionOf(config),
    endpoints: ends,
    endpointsVersion: versionOf(ends),
  };
}
