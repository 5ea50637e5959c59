export { defaults } from './defaults.ts';
export { longestDuration, parseDuration } from './duration.ts';
export * from './kinds.ts';
export type { GatewayListener, GatewaySpec } from './resources/gateway.ts';
export type { RouteSpec, Rule } from './resources/route.ts';
export type { UpstreamSpec } from './resources/upstream.ts';
export { isKind, type Validated, validateObject } from './validate.ts';
export { nearest } from './validation/nearest.ts';
export { type Path, type Problem, pathText } from './validation/problem.ts';
