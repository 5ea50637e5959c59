import type { Order } from '../peer.ts';

const types = 'type.googleapis.com/envoy.extensions';

/** Above what any run needs: Envoy's defaults of 1024 would refuse requests (its FAQ on benchmarks says to raise them). */
const unlimited = {
  max_connections: 1e6,
  max_pending_requests: 1e6,
  max_requests: 1e6,
  max_retries: 1e6,
};

/** Envoy's guide for edge proxies: 32 KiB of buffer per connection on either side. */
const bufferBytes = 32_768;

function socket(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

type Addition = { http_filters: unknown[] } & Record<string, unknown>;

/** A site's addition is a JSON object: fields of HttpConnectionManager, http_filters to be placed before the router. */
function parseAddition(text: string): Addition {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error("Cannot configure Envoy: a site's addition must be an object");
  const filters: unknown = 'http_filters' in value ? value.http_filters : [];
  if (!Array.isArray(filters))
    throw new Error('Cannot configure Envoy: http_filters must be a list of filters');
  return { ...value, http_filters: filters };
}

function connectionManager({ site }: Order): object {
  const { http_filters, ...fields } = parseAddition(site.addition ?? '{}');
  return {
    '@type': `${types}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'edge',
    use_remote_address: true,
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: site.routes.map((route) => ({
            name: route.name,
            match: { path_separated_prefix: route.prefix },
            route: { cluster: 'backend' },
          })),
        },
      ],
    },
    ...fields,
    http_filters: [
      ...http_filters,
      {
        name: 'envoy.filters.http.router',
        // The FAQ on benchmarks says so too: statistics per route and cluster that nobody reads.
        typed_config: { '@type': `${types}.filters.http.router.v3.Router`, dynamic_stats: false },
      },
    ],
  };
}

/** No access log unless a site adds it, no tracing, and the limits of a production edge. */
export function envoyConf(order: Order): object {
  return {
    admin: { address: socket(order.adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'edge',
          address: socket(order.port),
          per_connection_buffer_limit_bytes: bufferBytes,
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: connectionManager(order),
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'backend',
          type: 'STATIC',
          connect_timeout: '5s',
          per_connection_buffer_limit_bytes: bufferBytes,
          circuit_breakers: {
            thresholds: [
              { priority: 'DEFAULT', ...unlimited },
              { priority: 'HIGH', ...unlimited },
            ],
          },
          load_assignment: {
            cluster_name: 'backend',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(order.backendPort) } }] }],
          },
        },
      ],
    },
  };
}
