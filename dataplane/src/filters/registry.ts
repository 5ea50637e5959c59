import { authentication } from './auth/auth.ts';
import type { FilterKind } from './filter.ts';
import { rateLimit } from './rate-limit/rate-limit.ts';

/** Every kind of policy, in the order in which they act on a request. */
export const filterKinds: readonly FilterKind[] = [authentication, rateLimit];
