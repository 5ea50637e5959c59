import { gatewayApi, type RenderOptions } from '../render.ts';

/** Ways to install the chart; each has a golden file of what is rendered. */
export const cases: Record<string, RenderOptions> = {
  default: {},
  'gateway-api': { apis: [gatewayApi] },
  everything: {
    release: 'edge',
    apis: [gatewayApi],
    values: {
      commonLabels: { team: 'edge' },
      imagePullSecrets: ['registry'],
      listenAddress: '::',
      controller: {
        image: { tag: 'dev' },
        podLabels: { a: 'b' },
        podAnnotations: { c: 'd' },
        priorityClassName: 'system-cluster-critical',
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ key: 'edge', operator: 'Exists' }],
        extraArgs: ['--log-level=debug'],
        env: [{ name: 'NODE_OPTIONS', value: '--enable-source-maps' }],
        serviceAccount: { annotations: { e: 'f' } },
      },
      dataPlane: {
        image: { digest: `sha256:${'0'.repeat(64)}` },
        workers: 4,
        zone: 'a',
        ports: {
          http: { port: 8080, hostPort: 80 },
          https: { port: 8443, servicePort: 443, nodePort: 30443, appProtocol: 'https' },
        },
        service: {
          annotations: { lb: 'internal' },
          externalTrafficPolicy: 'Local',
          loadBalancerClass: 'example.com/internal',
          loadBalancerSourceRanges: ['198.51.100.0/24'],
          ipFamilyPolicy: 'PreferDualStack',
        },
        autoscaling: {
          enabled: true,
          behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
        },
        lastKnownGood: { volume: { hostPath: { path: '/var/lib/gatehouse' } } },
        affinity: { nodeAffinity: {} },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      },
      networkPolicy: {
        monitoring: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
      },
      podMonitor: { enabled: true, labels: { release: 'prometheus' } },
      serviceMonitor: { enabled: true },
    },
  },
  namespaced: {
    values: {
      watchNamespaces: ['gatehouse-system', 'shop'],
      rbac: { secrets: { namespaces: ['gatehouse-system'], names: ['shop-tls'] } },
      dataPlane: { service: { type: 'ClusterIP' } },
    },
  },
  'cert-manager': {
    values: {
      controller: { tls: { certManager: { enabled: true } } },
      dataPlane: {
        service: { type: 'NodePort' },
        ports: { http: { port: 8080, nodePort: 30080 } },
      },
    },
  },
  'existing-certificate': {
    values: {
      controller: {
        tls: { existingSecret: 'mine', caConfigMap: 'bundle' },
        serviceAccount: { create: false, name: 'theirs' },
        pdb: { enabled: false },
      },
      dataPlane: {
        lowPorts: false,
        lastKnownGood: { enabled: false },
        accessLog: true,
        pdb: { enabled: false },
        serviceAccount: { create: false },
      },
      networkPolicy: { enabled: false },
      gateway: { enabled: false },
    },
  },
};
