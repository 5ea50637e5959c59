import { errorReply } from '../../http1/reply.ts';
import type { Denial, Effects } from '../filter.ts';
import type { CounterDemand } from './counter-table.ts';
import { rateLimitFields, retryAfterField } from './fields.ts';
import type { Counted } from './limit.ts';

/** What is told of limits that let a request through. */
export function tellAllowed(counted: readonly Counted[], effects: Effects): void {
  tell(counted, effects, leastLeft(counted));
}

/** @param counted limits, some of which do not allow the request. */
export function refusal(counted: readonly Counted[], effects: Effects): Denial | undefined {
  const tightest = longestWait(counted);
  const limit = counted.find(({ demands }) => demands.some((one) => one === tightest));
  if (!tightest || !limit) return undefined;
  tell(counted, effects, tightest);
  const reply = errorReply(429, 'Rate limit exceeded');
  return {
    kind: 'denied',
    reply: { ...reply, fields: reply.fields + retryAfterField(tightest) },
    rule: limit.rule,
    reason: `more than ${tightest.limit}${limit.concurrent ? ' at one time' : ` in ${tightest.window / 1000} s`}`,
  };
}

/** For a limit that must be counted where nobody can be asked. */
export function unavailable({ rule }: Counted): Denial {
  const reply = errorReply(503, 'Rate limit unavailable');
  return { kind: 'error', reply, rule, reason: 'Redis cannot be asked, and failureMode is Closed' };
}

function tell(
  counted: readonly Counted[],
  effects: Effects,
  tightest: CounterDemand | undefined,
): void {
  if (!tightest) return;
  const told = counted.filter(({ silent }) => !silent);
  if (told.length > 0) effects.responseFields += rateLimitFields(told, tightest);
}

function leastLeft(counted: readonly Counted[]): CounterDemand | undefined {
  let least: CounterDemand | undefined;
  for (const { demands } of counted) {
    for (const demand of demands) {
      if (least === undefined || demand.remaining < least.remaining) least = demand;
    }
  }
  return least;
}

function longestWait(counted: readonly Counted[]): CounterDemand | undefined {
  let longest: CounterDemand | undefined;
  for (const { demands } of counted) {
    for (const demand of demands) {
      if (demand.allowed) continue;
      if (longest === undefined || demand.retryAfter > longest.retryAfter) longest = demand;
    }
  }
  return longest;
}
