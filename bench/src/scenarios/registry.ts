import type { Scenario } from '../scenario.ts';
import { grpc, h2 } from './http2.ts';
import { jwt, jwtCold } from './jwt.ts';
import { plain } from './plain.ts';
import { policies } from './policies.ts';
import { rateLimit } from './rate-limit.ts';
import { rateLimitRedis } from './rate-limit-redis.ts';
import { routes1000 } from './routes-1000.ts';
import { tls, tlsKeepAlive } from './tls.ts';
import { download1m, download64k, upload1m } from './uploads.ts';
import { websocket } from './websocket.ts';

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  plain,
  routes1000,
  jwt,
  jwtCold,
  rateLimit,
  rateLimitRedis,
  policies,
  h2,
  grpc,
  tls,
  tlsKeepAlive,
  websocket,
  upload1m,
  download64k,
  download1m,
];
