export { type Advantage, type Candidate, variablesOf } from './candidate.ts';
export { normalisePath } from './normalise-path.ts';
export type { Problem, RequestHead, RouteInput, RuleInput } from './route-input.ts';
export { createRouter, type Router, routerSteps } from './router.ts';
export { hostnameFor, whyFirst } from './why-first.ts';
