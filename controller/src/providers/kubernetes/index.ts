export { ApiFault, fieldsOf, reasonOf } from './api-fault.ts';
export { type ApiServer, apiServerOf } from './api-server.ts';
export { controllerName, type GatewayClass } from './gateway-classes.ts';
export type { Seen } from './intake.ts';
export { loadKubeConfig } from './kube-config.ts';
export { type Progress, reached } from './progress.ts';
export { type ClusterOptions, type ClusterWatch, watchCluster } from './provider.ts';
export { type Health, reflect, type Timing } from './reflector.ts';
export {
  apiVersionOf,
  gatewayClassResource,
  pathOf,
  type Resource,
  rbacName,
  reportedKinds,
  storedResources,
} from './resources.ts';
