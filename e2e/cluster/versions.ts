/** What the cluster is made of; `kubernetes/go.mod` names the same version of Kubernetes. */
export const versions = {
  kubernetes: 'v1.36.3',
  helm: 'v3.22.0',
  coredns: 'v1.15.0',
  gatewayApi: 'v1.6.0',
};
