import type { Order, Wire } from '../peer.ts';

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

/** What its guide for edge proxies sets for HTTP/2. */
const http2 = {
  max_concurrent_streams: 100,
  initial_stream_window_size: 65_536,
  initial_connection_window_size: 1_048_576,
};

function downstreamFields({ downstream }: Wire): object {
  if (downstream === 'http2') return { codec_type: 'HTTP2', http2_protocol_options: http2 };
  return downstream === 'websocket' ? { upgrade_configs: [{ upgrade_type: 'websocket' }] } : {};
}

function transportSocket({ certificate }: Wire): object {
  if (certificate === undefined) return {};
  const pair = {
    certificate_chain: { filename: certificate.certificate },
    private_key: { filename: certificate.key },
  };
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': `${types}.transport_sockets.tls.v3.DownstreamTlsContext`,
        common_tls_context: { tls_certificates: [pair] },
      },
    },
  };
}

function upstreamFields({ upstream }: Wire): object {
  if (upstream !== 'http2') return {};
  return {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${types}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: http2 },
      },
    },
  };
}

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

function connectionManager({ site, wire = {} }: Order): object {
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
    ...downstreamFields(wire),
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
  const { wire = {} } = order;
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
              ...transportSocket(wire),
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
          ...upstreamFields(wire),
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
