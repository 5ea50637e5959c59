import { policyKinds } from '@gatehouse/crds';
import type { Resources } from './compile/index.ts';
import type { Store } from './store/store.ts';

/** What the store holds, as compile takes it. */
export function resourcesOf(store: Store): Resources {
  return {
    routes: [...store.list('Route')],
    upstreams: [...store.list('Upstream')],
    gateways: [...store.list('Gateway')],
    services: [...store.list('Service')],
    endpointSlices: [...store.list('EndpointSlice')],
    secrets: [...store.list('Secret')],
    namespaces: [...store.list('Namespace')],
    referenceGrants: [...store.list('ReferenceGrant')],
    policies: policyKinds.flatMap((kind) => [...store.list(kind)]),
    consumers: [...store.list('Consumer')],
    discoveries: [...store.list('Discovery')],
  };
}
