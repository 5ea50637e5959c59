import type { CounterDemand } from './counter-table.ts';
import type { Counted } from './limit.ts';

/**
 * The field lines that tell a client about its limits: X-RateLimit-* of the tightest, and RateLimit and
 * RateLimit-Policy of all (draft-ietf-httpapi-ratelimit-headers). Times are in seconds from now.
 */
export function rateLimitFields(limits: readonly Counted[], tightest: CounterDemand): string {
  let policies = '';
  let states = '';
  for (const { rule, demands, concurrent } of limits) {
    for (const { limit, window, remaining, resetAfter } of demands) {
      const separator = policies === '' ? '' : ', ';
      const length = concurrent ? '' : `;w=${Math.ceil(window / 1000)}`;
      policies += `${separator}"${rule.name}";q=${limit}${length}`;
      states += `${separator}"${rule.name}";r=${remaining};t=${seconds(resetAfter)}`;
    }
  }
  return (
    `x-ratelimit-limit: ${tightest.limit}\r\nx-ratelimit-remaining: ${tightest.remaining}\r\n` +
    `x-ratelimit-reset: ${seconds(tightest.resetAfter)}\r\n` +
    `ratelimit-policy: ${policies}\r\nratelimit: ${states}\r\n`
  );
}

/** RFC 9110 section 10.2.3; left out where no waiting helps. */
export function retryAfterField({ retryAfter }: CounterDemand): string {
  if (retryAfter === Number.POSITIVE_INFINITY) return '';
  return `retry-after: ${Math.max(1, seconds(retryAfter))}\r\n`;
}

/** Rounded up; what sums of fractions leave over (1000.0000000000146 ms) is not another second. */
function seconds(milliseconds: number): number {
  return Number.isFinite(milliseconds) ? Math.ceil((milliseconds - 1e-3) / 1000) : 0;
}
