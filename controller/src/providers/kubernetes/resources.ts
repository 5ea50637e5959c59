import { type Kind, ownKinds } from '@gatehouse/crds';

/** A kind that can be listed and watched. */
export interface Resource {
  kind: string;
  /** "" for the core group. */
  group: string;
  version: string;
  plural: string;
  namespaced: boolean;
  /**
   * What is missing when the kind is not served or may not be read: with `required` nothing is
   * compiled, as an incomplete first snapshot would take away what data planes serve.
   */
  required: boolean;
}

type Stored = Resource & { kind: Kind };

const whole = { namespaced: true, required: true } as const;
const own = { ...whole, group: 'gatehouse.dev', version: 'v1alpha1' } as const;
const core = { ...whole, group: '', version: 'v1' } as const;
const gatewayApi = { ...whole, group: 'gateway.networking.k8s.io', version: 'v1' } as const;

/** Every kind that is watched as a whole and kept in the store. */
export const storedResources: readonly Stored[] = [
  ...ownKinds.map(({ kind, plural }) => ({ ...own, kind, plural })),
  { ...gatewayApi, kind: 'Gateway', plural: 'gateways' },
  { ...core, kind: 'Service', plural: 'services' },
  {
    ...whole,
    kind: 'EndpointSlice',
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
  },
  { ...core, kind: 'Namespace', plural: 'namespaces', namespaced: false },
  {
    ...gatewayApi,
    kind: 'ReferenceGrant',
    version: 'v1beta1',
    plural: 'referencegrants',
  },
];

/** Watched by name where a Gateway refers to one. */
export const secretResource: Stored = {
  ...core,
  kind: 'Secret',
  plural: 'secrets',
  required: false,
};

export const gatewayClassResource: Resource = {
  ...gatewayApi,
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  namespaced: false,
};

/** Kinds whose status is written here. */
export const reportedKinds: ReadonlySet<string> = new Set([
  ...ownKinds.map(({ kind }) => kind),
  'Gateway',
]);

export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Path of a collection, or of one object when it is named. */
export function pathOf(
  { group, version, plural, namespaced }: Resource,
  namespace?: string,
  name?: string,
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${name}`}`;
}

/** As RBAC names it: "routes.gatehouse.dev"; "services" in the core group. */
export function rbacName({ group, plural }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`;
}
