import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tokenBucket } from './algorithms.ts';
import { CounterTable, tableBytes } from './counter-table.ts';
import { rateLimitFields } from './fields.ts';

it('tells whole seconds, whatever fractions the clock has', () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 1e9, noNaN: true }), (now) => {
      const table = new CounterTable(new SharedArrayBuffer(tableBytes), () => undefined);
      const demand = {
        ...{ algorithm: tokenBucket, limit: 60, window: 60_000, burst: 100, cost: 1 },
        ...{
          high: 1,
          low: 1,
          key: 'a',
          allowed: false,
          remaining: 0,
          resetAfter: 0,
          retryAfter: 0,
        },
      };
      table.take([demand], now);
      const rule = { block: 'limits', name: 'a', policy: 'p', target: 't', config: {} };
      const limits = [
        { rule, demands: [demand], concurrent: false, silent: false, remote: undefined },
      ];
      expect(rateLimitFields(limits, demand)).toContain('x-ratelimit-reset: 1\r\n');
    }),
    { numRuns: 50 },
  );
});
