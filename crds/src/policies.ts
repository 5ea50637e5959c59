import { authPolicySpec } from './resources/auth-policy.ts';
import { rateLimitPolicySpec } from './resources/rate-limit-policy.ts';

/** Every kind of policy: its schema, and its names for kubectl. All else follows from here. */
export const policies = {
  AuthPolicy: {
    spec: authPolicySpec,
    description: 'Who may send requests.',
    plural: 'authpolicies',
    shortNames: ['authp'],
  },
  RateLimitPolicy: {
    spec: rateLimitPolicySpec,
    description: 'How many requests are let through.',
    plural: 'ratelimitpolicies',
    shortNames: ['ratep'],
  },
} as const;

export type PolicyKind = keyof typeof policies;

export const policyKinds = Object.keys(policies) as PolicyKind[];
