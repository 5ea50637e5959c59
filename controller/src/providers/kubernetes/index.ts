export { ApiFault, fieldsOf, reasonOf } from './api-fault.ts';
export { type ApiServer, apiServerOf } from './api-server.ts';
export { loadKubeConfig } from './kube-config.ts';
export { type Progress, reached } from './progress.ts';
export { type ClusterOptions, type ClusterWatch, watchCluster } from './provider.ts';
