import { policySpec } from '../schema/policy.ts';
import { namedMap, optional, type Static } from '../schema/schema.ts';
import { counting } from './rate-limit/counting.ts';
import { limit } from './rate-limit/limit.ts';

export const rateLimitPolicySpec = policySpec(
  {
    limits: optional(
      namedMap(limit, { description: 'Limits by name, all must be kept.', maxProperties: 16 }),
    ),
    counting: optional(counting),
  },
  'How many requests are let through.',
);

export type RateLimitPolicySpec = Static<typeof rateLimitPolicySpec>;
