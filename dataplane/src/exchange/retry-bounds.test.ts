import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering } from '../testing/backend.ts';
import { statusOf, valuesOf } from '../testing/message.ts';
import { failing, fine, inTurn, type RetryStage, setStage, usual } from './testing.ts';

let stage: RetryStage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.close());

describe('time', () => {
  it('a Retry-After is waited for', async () => {
    stage.backend.script = inTurn(failing(503, 'Retry-After: 1\r\n'), fine);
    await stage.start({ ...usual, maxRetryAfterMs: 1000 });
    const begin = performance.now();
    expect(statusOf(await stage.ask())).toBe(200);
    expect(performance.now() - begin).toBeGreaterThan(990);
  });

  it.each(['2', '86400', new Date(Date.now() + 3_600_000).toUTCString()])(
    'a Retry-After of %s, longer than the rule waits, is passed on',
    async (value) => {
      stage.backend.script = inTurn(failing(503, `Retry-After: ${value}\r\n`), fine);
      await stage.start({ ...usual, maxRetryAfterMs: 1000 });
      const answer = await stage.ask();
      expect([statusOf(answer), valuesOf(answer.fields, 'retry-after')]).toEqual([503, [value]]);
      expect(stage.backend.requests).toHaveLength(1);
    },
  );

  it.each(['soon', '-1', '', 'Wed, 21 Oct 2015 07:28:00 GMT'])(
    'a Retry-After of "%s" makes no difference',
    async (value) => {
      stage.backend.script = inTurn(failing(503, `Retry-After: ${value}\r\n`), fine);
      await stage.start({ ...usual, maxRetryAfterMs: 1000 });
      expect(statusOf(await stage.ask())).toBe(200);
    },
  );

  it('the limit of the whole request holds over all tries', async () => {
    stage.backend.script = {};
    const timeouts = { request: 260, backendRequest: 260 };
    await stage.start({ ...usual, attempts: 10, tryTimeoutMs: 60 }, { rule: { timeouts } });
    const begin = performance.now();
    const answer = await stage.ask();
    const took = performance.now() - begin;
    expect([statusOf(answer), answer.body.toString()]).toEqual([
      504,
      '{"error":"Gateway timeout"}',
    ]);
    expect(took).toBeGreaterThan(255);
    expect(stage.backend.requests.length).toBeGreaterThan(1);
    expect(stage.backend.requests.length).toBeLessThan(6);
  });

  it('no try begins that has no time left', async () => {
    stage.backend.script = inTurn(failing(503), fine);
    await stage.start(
      { ...usual, backOffInitialMs: 600_000, backOffMaxMs: 600_000, maxRetryAfterMs: 60_000 },
      { rule: { timeouts: { request: 500 } } },
    );
    stage.backend.script = inTurn(failing(503, 'Retry-After: 1\r\n'), fine);
    expect(statusOf(await stage.ask())).toBe(503);
    expect(stage.backend.requests).toHaveLength(1);
  });
});

describe('retries are bounded', () => {
  async function failMany(count: number) {
    stage.backend.script = answering(failing(503));
    const answers = await Promise.all(Array.from({ length: count }, () => stage.ask()));
    expect(answers.every((answer) => statusOf(answer) === 503)).toBe(true);
    return stage.backend.requests.length - count;
  }

  it('by the budget: a share of the requests that are under way', async () => {
    const slow = { ...usual, backOffInitialMs: 300, backOffMaxMs: 300, attempts: 1 };
    await stage.start({ ...slow, budgetPercent: 20, budgetMinimum: 1 });
    const retried = await failMany(40);
    // As requests end the share gets smaller, so the bound is that of all of them.
    expect(retried).toBeGreaterThanOrEqual(1);
    expect(retried).toBeLessThanOrEqual(8);
    expect(stage.metrics()).toMatch(
      /gateway_retries_denied_total\{service="up",reason="budget"\} \d/,
    );
  });

  it('by the limit of the upstream', async () => {
    const circuitBreaker = { timeoutMs: 1000, halfOpenRequests: 1, limits: { maxRetries: 2 } };
    const slow = { ...usual, backOffInitialMs: 300, backOffMaxMs: 300, attempts: 1 };
    await stage.start(slow, { more: { circuitBreaker } });
    stage.backend.script = answering(failing(503));
    await Promise.all(Array.from({ length: 20 }, () => stage.ask()));
    expect(stage.metrics()).toMatch(
      /gateway_retries_denied_total\{service="up",reason="limit"\} \d/,
    );
    // What was taken is given back.
    stage.backend.script = inTurn(failing(503), fine);
    expect(statusOf(await stage.ask())).toBe(200);
  });

  it('by the circuit breaker: one that has opened meanwhile lets none through', async () => {
    const circuitBreaker = { failureThreshold: 1, timeoutMs: 60_000, halfOpenRequests: 1 };
    await stage.start(usual, { more: { circuitBreaker } });
    stage.backend.script = inTurn(failing(503), fine);
    const answer = await stage.ask();
    expect(statusOf(answer)).toBe(503);
    expect(answer.body.toString()).toBe('{"error":"Circuit breaker open"}');
    expect(stage.backend.requests).toHaveLength(1);
  });
});
