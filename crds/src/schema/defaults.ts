/**
 * What a field means when it is left out. The schemas carry these as `default`, so the API server fills
 * them in; objects from files arrive without, so whoever reads a field falls back to the same constant.
 */
export const defaults = {
  /** Namespace of an object that names none. */
  namespace: 'default',
  allowedRoutesFrom: 'Same',
  backendKind: 'Service',
  /** Share of the requests, relative to the other backends. */
  backendWeight: 1,
  /** Share of the requests, relative to the other endpoints. */
  endpointWeight: 1,
  /** Percent of the requests that are copied. */
  mirrorPercent: 100,
  redirectStatus: 302,
  respondContentType: 'application/json',
  valueMatchType: 'Exact',
  requestTimeout: '0s',
  backendRequestTimeout: '60s',
  idleTimeout: '5m',
  connectTimeout: '5s',
  retryAttempts: 2,
  backOffInitial: '25ms',
  backOffMax: '250ms',
  retryBudgetPercent: 20,
  retryBudgetMinimum: 3,
  maxRetryAfter: '1s',
  /** Idle connections that each worker thread keeps to one upstream. */
  poolMaxIdle: 256,
  poolIdleTimeout: '4s',
  balancingAlgorithm: 'RoundRobin',
  balancingZones: 'Prefer',
  stickyCookie: 'gatehouse-session',
  stickyPath: '/',
  slowStartMinPercent: 10,
  /** Percent of endpoints in service below which all are used. */
  panicThreshold: 50,
  breakerFailureThreshold: 5,
  breakerTimeout: '60s',
  breakerHalfOpenRequests: 3,
  errorRateWindow: '10s',
  errorRateMinimumRequests: 20,
  outlierConsecutiveErrors: 5,
  outlierConsecutiveGatewayErrors: 5,
  outlierInterval: '10s',
  outlierBaseEjectionTime: '30s',
  outlierMaxEjectionTime: '300s',
  /** Percent of the endpoints that may be ejected at one time. */
  outlierMaxEjected: 50,
  /** Percent of the standard deviation. */
  outlierDeviation: 190,
  outlierMinimumEndpoints: 5,
  outlierMinimumRequests: 100,
  healthCheckInterval: '10s',
  healthCheckTimeout: '1s',
  unhealthyThreshold: 3,
  healthyThreshold: 2,
  healthCheckJitter: 10,
  policyShadow: false,
  jwksRefresh: '10m',
  consulZoneMeta: 'zone',
  dnsRecords: 'Address',
  dnsMinTtl: '5s',
  dnsMaxTtl: '5m',
  jwksTimeout: '5s',
  clockSkew: '30s',
  introspectionCache: '60s',
  externalTimeout: '500ms',
  sessionLifetime: '12h',
  rateLimitAlgorithm: 'TokenBucket',
  rateLimitStore: 'Local',
  rateLimitFailureMode: 'Local',
  redisTimeout: '50ms',
  redisKeyPrefix: 'gatehouse',
  /** Paths that an AuthPolicy leaves alone. */
  excludedPaths: ['/health', '/metrics'],
} as const;
