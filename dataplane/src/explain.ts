/**
 * What `gatehouse explain` asks: the very code that serves requests, without sockets. Not for anybody
 * else.
 */
export { answerRedirect } from './exchange/direct.ts';
export { type Client, Exchange } from './exchange/exchange.ts';
export { rewrittenTarget } from './exchange/rewritten-target.ts';
export { applicabilityOf } from './filters/applicability.ts';
export type { FilterKind } from './filters/filter.ts';
export { filterKinds } from './filters/registry.ts';
export { Field } from './http1/field-names.ts';
export { dropGuarded } from './http1/guarded-names.ts';
export { defaultLimits } from './http1/limits.ts';
export type { Reply } from './http1/reply.ts';
export type { RequestHead } from './http1/request-head.ts';
export { listenerFor } from './link/listeners.ts';
export { byScopeOf, policiesAt } from './link/policies.ts';
export type { RefusedResource } from './link/refusals.ts';
export type { LinkedListener, LinkedMatch, LinkedPort, Runtime } from './link/runtime.ts';
export {
  type Advantage,
  type Candidate,
  createRouter,
  hostnameFor,
  type RouteInput,
  type Router,
  type RuleInput,
  variablesOf,
  whyFirst,
} from './router/index.ts';
export { ForwardedLines } from './server/forwarded.ts';
export { Progress, RequestReader } from './server/request-reader.ts';
export { tryLink } from './try-link.ts';
