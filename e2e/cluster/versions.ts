/** What the cluster is made of; `kubernetes/go.mod`, `consul/go.mod` and `h2spec/go.mod` name the same versions. */
export const versions = {
  kubernetes: 'v1.36.3',
  helm: 'v3.22.0',
  coredns: 'v1.15.0',
  consul: 'v1.22.3',
  h2spec: 'v2.2.1',
  /** What the previous release is, as long as none has a tag: see previous-release.ts. */
  previousCommit: 'f9846ed3aab575df57e7a54c4f58be483a4cdb31',
  gatewayApi: 'v1.6.0',
};
