export { crdOf } from './crd.ts';
export { longestDuration, parseDuration } from './duration.ts';
export {
  type CompiledExpression,
  checkExpression,
  compileExpression,
  ExpressionError,
  type ExpressionProblem,
} from './expressions/expression.ts';
export { expressionLimits } from './expressions/limits.ts';
export type {
  ExpressionIdentity,
  ExpressionScope,
  ExpressionSource,
  ExpressionType,
} from './expressions/source.ts';
export { type Htpasswd, type PasswordHash, parseHtpasswd } from './htpasswd.ts';
export {
  algorithmsOf,
  algorithmTraits,
  hmacAlgorithmsFor,
  isJwtAlgorithm,
  type JwtAlgorithm,
} from './key-set/algorithms.ts';
export { jsonFault } from './key-set/json-shape.ts';
export { type KeySet, readKeySet, type VerificationKey } from './key-set/key-set.ts';
export * from './kinds.ts';
export { knownFields } from './known-fields.ts';
export { type OwnKind, ownKinds } from './own-kinds.ts';
export { certificateBlocks } from './pem.ts';
export { type PolicyKind, policyKinds } from './policies.ts';
export { policyRuleProblems } from './policy-rule.ts';
export { referencePage } from './reference.ts';
export type { AuthorizationRule } from './resources/auth/authorization.ts';
export type { CredentialPlace } from './resources/auth/credential.ts';
export type { IdentityFields } from './resources/auth/identity.ts';
export type { JwtIssuer, JwtMethod } from './resources/auth/jwt.ts';
export type { ApiKeyMethod, BasicMethod, MtlsMethod } from './resources/auth/keys.ts';
export type { ExternalMethod, IntrospectionMethod, OidcMethod } from './resources/auth/remote.ts';
export type { AuthenticationMethod, AuthPolicySpec } from './resources/auth-policy.ts';
export type { ConsumerSpec } from './resources/consumer.ts';
export type { GatewayListener, GatewaySpec } from './resources/gateway.ts';
export type { Counting } from './resources/rate-limit/counting.ts';
export type { Limit } from './resources/rate-limit/limit.ts';
export type { RateLimitPolicySpec } from './resources/rate-limit-policy.ts';
export type { Retries } from './resources/retries.ts';
export type { RouteSpec, Rule } from './resources/route.ts';
export type { PolicyStatus, RouteStatus, UpstreamStatus } from './resources/status.ts';
export type { Balancing } from './resources/upstream/balancing.ts';
export type { CircuitBreaker } from './resources/upstream/circuit-breaker.ts';
export type { ConsulEndpoints } from './resources/upstream/consul.ts';
export type { DnsEndpoints } from './resources/upstream/dns.ts';
export type { HealthCheck } from './resources/upstream/health-check.ts';
export type { OutlierDetection } from './resources/upstream/outlier-detection.ts';
export type { UpstreamTls } from './resources/upstream/tls.ts';
export type { UpstreamSpec } from './resources/upstream.ts';
export { defaults } from './schema/defaults.ts';
export type { TargetRef } from './schema/policy.ts';
export { faultsOf, unsoundPolicy } from './unsound-policy.ts';
export { isKind, type Validated, validateObject } from './validate.ts';
export { nearest } from './validation/nearest.ts';
export { type Path, type Problem, pathText } from './validation/problem.ts';
