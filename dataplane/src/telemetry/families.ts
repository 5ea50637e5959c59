import { keySetFetches } from '../filters/auth/jwt/key-sources.ts';
import { policyDecisions } from '../filters/decisions.ts';
import { adaptiveFactor } from '../filters/rate-limit/adaptive/adaptive-limits.ts';
import { rateLimitOverflow } from '../filters/rate-limit/counters.ts';
import { redisQuestions } from '../filters/rate-limit/redis/stores.ts';
import {
  breakerTransitions,
  endpointEjections,
  healthChecks,
  queuedRequests,
  retriesDenied,
  retriesTotal,
  upstreamFallbacks,
  upstreamRefusals,
  upstreamTlsFailures,
} from '../upstreams/metrics.ts';

/** A metric family as /metrics shows it. */
export type Family = {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  /** What the values of several threads are together: their sum, or the largest, where 0 is none. */
  combine?: 'max';
  help: string;
};

export const requestsTotal: Family = {
  name: 'gateway_requests_total',
  type: 'counter',
  help: 'Requests answered, by method, route template, status and kind of client.',
};

export const requestDuration: Family = {
  name: 'gateway_request_duration',
  type: 'histogram',
  help: 'Seconds from the head of the request to the end of the response; without tunnels.',
};

export const grpcResponses: Family = {
  name: 'gateway_grpc_responses_total',
  type: 'counter',
  help: 'Calls of gRPC answered, by route template, service and status of gRPC; "none": without one.',
};

export const activeConnections: Family = {
  name: 'gateway_active_connections',
  type: 'gauge',
  help: 'Client connections that are open.',
};

export const openTunnels: Family = {
  name: 'gateway_open_tunnels',
  type: 'gauge',
  help: 'Client connections that have switched to another protocol, such as WebSocket.',
};

export const tlsHandshakes: Family = {
  name: 'gatehouse_tls_handshakes_total',
  type: 'counter',
  help: 'TLS handshakes that led to a connection, by version and whether a session was resumed.',
};

export const tlsHandshakeFailures: Family = {
  name: 'gatehouse_tls_handshake_failures_total',
  type: 'counter',
  help: 'TLS handshakes that came to nothing, by reason.',
};

export const openHandshakes: Family = {
  name: 'gatehouse_tls_open_handshakes',
  type: 'gauge',
  help: 'Client connections in the midst of a TLS handshake; they count for the limit of connections.',
};

export const internalErrors: Family = {
  name: 'gatehouse_internal_errors_total',
  type: 'counter',
  help: 'Requests that met a bug of the gateway; each is in the log with its stack.',
};

export const accessLogLost: Family = {
  name: 'gatehouse_access_log_lost_total',
  type: 'counter',
  help: 'Lines of the access log that could not be written in time.',
};

export const families = [
  requestsTotal,
  requestDuration,
  grpcResponses,
  activeConnections,
  openTunnels,
  tlsHandshakes,
  tlsHandshakeFailures,
  openHandshakes,
  internalErrors,
  accessLogLost,
  policyDecisions,
  keySetFetches,
  rateLimitOverflow,
  breakerTransitions,
  upstreamRefusals,
  upstreamFallbacks,
  endpointEjections,
  healthChecks,
  retriesTotal,
  retriesDenied,
  queuedRequests,
  upstreamTlsFailures,
  redisQuestions,
  adaptiveFactor,
];

/** Upper bounds of the histogram in seconds; one more bucket takes the rest, then comes the sum. */
export const durationBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
export const durationWidth = durationBounds.length + 2;
