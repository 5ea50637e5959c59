import type { Scenario } from '../scenario.ts';
import { jwt, jwtCold } from './jwt.ts';
import { plain } from './plain.ts';
import { policies } from './policies.ts';
import { rateLimit } from './rate-limit.ts';
import { rateLimitRedis } from './rate-limit-redis.ts';
import { routes1000 } from './routes-1000.ts';

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  plain,
  routes1000,
  jwt,
  jwtCold,
  rateLimit,
  rateLimitRedis,
  policies,
];
