export * from './kinds.ts';
export type { GatewayListener, GatewaySpec } from './resources/gateway.ts';
export type { RouteSpec, Rule } from './resources/route.ts';
export type { UpstreamSpec } from './resources/upstream.ts';
