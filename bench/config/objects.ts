/** Namespace of everything that is measured. */
export const namespace = 'shop';
export const routesPath = `/apis/gatehouse.dev/v1alpha1/namespaces/${namespace}/routes`;

const hosts = 300;
export const endpointsEach = 40;

type Named = { metadata: { name: string } };

export function pathOf(object: Named & { apiVersion: string; kind: string }): string {
  const { apiVersion, kind, metadata } = object;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${namespace}/${kind.toLowerCase()}s/${metadata.name}`;
}

const route = (name: string, host: string, rule: object, labels = {}) => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Route',
  metadata: { name, namespace, labels },
  spec: { hostnames: [host], rules: [{ name: 'all', ...rule }] },
});

/** One of many: a path of a host to a Service. */
export function forwardRoute(index: number, services: number) {
  return route(`route-${index}`, `h${index % hosts}.example.com`, {
    matches: [{ path: { type: 'Prefix', value: `/r-${index}` } }],
    backends: [{ name: `service-${index % services}`, port: 80 }],
  });
}

/** Answers by itself, with text that changes. */
export function answerRoute(name: string, text: string, labels = {}) {
  const respond = { status: 200, body: text };
  return route(name, `${name}.example.com`, { respond }, labels);
}

/** To a backend of this machine, for the load. */
export function loadRoute(header: string) {
  return route('load', 'load.example.com', {
    backends: [{ kind: 'Upstream', name: 'backend' }],
    responseHeaders: { set: [{ name: 'x-revision', value: header }] },
  });
}

export const backendUpstream = (port: number) => ({
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Upstream',
  metadata: { name: 'backend', namespace },
  spec: { endpoints: { static: [{ address: '127.0.0.1', port }] } },
});

export const service = (index: number) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `service-${index}`, namespace },
  spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});

/** Addresses of pods that are not there; nobody sends them anything. */
export function addressOf(index: number): string {
  return `10.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

export const endpointSlice = (index: number) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `service-${index}`,
    namespace,
    labels: {
      'kubernetes.io/service-name': `service-${index}`,
      'endpointslice.kubernetes.io/managed-by': 'bench',
    },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: Array.from({ length: endpointsEach }, (_, n) => ({
    addresses: [addressOf(index * endpointsEach + n)],
    conditions: { ready: true },
    nodeName: `node-${n}`,
    zone: `zone-${n % 3}`,
    targetRef: { kind: 'Pod', namespace, name: `service-${index}-${n}` },
  })),
});

export const gatewayClass = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'gatehouse' },
  spec: { controllerName: 'gatehouse.dev/gateway-controller' },
};

export const gateway = (port: number) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'main', namespace },
  spec: {
    gatewayClassName: 'gatehouse',
    listeners: [{ name: 'http', port, protocol: 'HTTP' }],
  },
});
