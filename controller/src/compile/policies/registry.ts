import type { PolicyObject } from '@gatehouse/crds';
import { auth } from './auth.ts';
import { checkPolicy, type PolicyLookup } from './check.ts';
import type { CheckedPolicy } from './policy.ts';
import { rateLimit } from './rate-limit.ts';

/** Checks a policy by the definition of its kind: here is every kind there is. */
export function checkByKind(object: PolicyObject, lookup: PolicyLookup): CheckedPolicy {
  switch (object.kind) {
    case 'AuthPolicy':
      return checkPolicy(object, auth, lookup);
    case 'RateLimitPolicy':
      return checkPolicy(object, rateLimit, lookup);
  }
}
