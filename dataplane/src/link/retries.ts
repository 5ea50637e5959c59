import { type Retries, Retries_On } from '@gatehouse/snapshot';
import { GrpcStatus } from '../http2/grpc-status.ts';
import type { LinkedRetries } from './runtime.ts';

const known = new Set([
  Retries_On.CONNECT_FAILURE,
  Retries_On.RESET,
  Retries_On.GATEWAY_ERROR,
  Retries_On.SERVER_ERROR,
]);

const grpcStatuses = new Map<Retries_On, number>([
  [Retries_On.GRPC_CANCELLED, GrpcStatus.cancelled],
  [Retries_On.GRPC_DEADLINE_EXCEEDED, GrpcStatus.deadlineExceeded],
  [Retries_On.GRPC_INTERNAL, GrpcStatus.internal],
  [Retries_On.GRPC_RESOURCE_EXHAUSTED, GrpcStatus.resourceExhausted],
  [Retries_On.GRPC_UNAVAILABLE, GrpcStatus.unavailable],
]);

/** @param refuse is told what this release does not know. */
export function linkRetries(
  message: Retries,
  refuse: (path: string, reason: string) => void,
): LinkedRetries {
  for (const [index, on] of message.on.entries()) {
    if (!known.has(on) && !grpcStatuses.has(on))
      refuse(`on[${index}]`, `${on} is none this release knows`);
  }
  const any = message.on.includes(Retries_On.SERVER_ERROR);
  const gateway = any || message.on.includes(Retries_On.GATEWAY_ERROR);
  return {
    attempts: message.attempts,
    connect: any || message.on.includes(Retries_On.CONNECT_FAILURE),
    reset: any || message.on.includes(Retries_On.RESET),
    timeout: gateway,
    statuses: statusesOf(message, any, gateway),
    grpcStatuses: new Set(message.on.flatMap((on) => grpcStatuses.get(on) ?? [])),
    tryTimeout: message.tryTimeoutMs,
    backOff: { initial: message.backOffInitialMs, max: message.backOffMaxMs },
    maxRetryAfter: message.maxRetryAfterMs,
    budget: { percent: message.budgetPercent, minimum: message.budgetMinimum },
    hedgeAfter: message.hedgeAfterMs,
  };
}

function statusesOf({ statuses }: Retries, server: boolean, gateway: boolean): ReadonlySet<number> {
  const all = new Set(statuses);
  if (gateway) for (const status of [502, 503, 504]) all.add(status);
  if (server) for (let status = 500; status < 600; status++) all.add(status);
  return all;
}
