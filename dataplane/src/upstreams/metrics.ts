import type { Family } from '../telemetry/families.ts';

export const breakerTransitions: Family = {
  name: 'gateway_circuit_breaker_transitions_total',
  type: 'counter',
  help: 'Circuit breakers that came into a state, by service.',
};

export const upstreamRefusals: Family = {
  name: 'gateway_upstream_refused_total',
  type: 'counter',
  help: 'Requests that no endpoint was asked for, by service and reason.',
};

export const upstreamTlsFailures: Family = {
  name: 'gateway_upstream_tls_failures_total',
  type: 'counter',
  help: 'Connections to endpoints that TLS did not come to terms on, by service and reason.',
};

export const upstreamFallbacks: Family = {
  name: 'gateway_fallbacks_total',
  type: 'counter',
  help: 'Requests that the fallback of their rule answered, by service that was not asked.',
};

export const endpointEjections: Family = {
  name: 'gateway_endpoint_ejections_total',
  type: 'counter',
  help: 'Endpoints that were ejected for what they answered, by service and reason.',
};

export const healthChecks: Family = {
  name: 'gateway_health_checks_total',
  type: 'counter',
  help: 'Checks of endpoints, by service and result.',
};

export const retriesTotal: Family = {
  name: 'gateway_retries_total',
  type: 'counter',
  help: 'Requests that were sent again, by service and reason.',
};

export const retriesDenied: Family = {
  name: 'gateway_retries_denied_total',
  type: 'counter',
  help: 'Retries that the budget of the rule or the limit of the upstream did not allow.',
};

export const queuedRequests: Family = {
  name: 'gateway_queued_requests_total',
  type: 'counter',
  help: 'Requests that waited for a connection, by service.',
};
