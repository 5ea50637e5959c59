import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statusOf, valuesOf } from '../testing/message.ts';
import { failing, fine, inTurn, type RetryStage, setStage, silence, usual } from './testing.ts';

let stage: RetryStage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.close());

describe('headers of a request', () => {
  const fields = 'X-Gatehouse-Retries: 0\r\nx-gatehouse-timeout-ms: 100\r\n';

  it('of a trusted proxy set timeout and retries', async () => {
    stage.backend.script = inTurn(failing(503), fine);
    await stage.start(usual, { trustedHops: 1 });
    expect(statusOf(await stage.ask(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`))).toBe(503);
    stage.backend.script = {};
    expect(statusOf(await stage.ask(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`))).toBe(504);
    const quick = 'x-gatehouse-try-timeout-ms: 60\r\n';
    stage.backend.script = inTurn(silence, fine);
    expect(statusOf(await stage.ask(`GET / HTTP/1.1\r\nHost: a\r\n${quick}\r\n`))).toBe(200);
    stage.backend.script = inTurn(failing(503), failing(503), failing(503), failing(503), fine);
    const four = 'x-gatehouse-retries: 4\r\n';
    expect(statusOf(await stage.ask(`GET / HTTP/1.1\r\nHost: a\r\n${four}\r\n`))).toBe(200);
  });

  it('of a trusted proxy: a limit of the rule is never exceeded', async () => {
    stage.backend.script = {};
    await stage.start(usual, { trustedHops: 1, rule: { timeouts: { request: 100 } } });
    const more = 'x-gatehouse-timeout-ms: 60000\r\nx-gatehouse-retries: 1\r\n';
    expect(statusOf(await stage.ask(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\n`))).toBe(504);
  });

  it.each(['-1', 'many', '1e9', ''])(
    'of a trusted proxy that make no sense: "%s"',
    async (text) => {
      stage.backend.script = inTurn(failing(503), fine);
      await stage.start(usual, { trustedHops: 1 });
      const nonsense = `x-gatehouse-retries: ${text}\r\nx-gatehouse-timeout-ms: ${text}\r\n`;
      expect(statusOf(await stage.ask(`GET / HTTP/1.1\r\nHost: a\r\n${nonsense}\r\n`))).toBe(200);
    },
  );

  it('of anybody else are ignored, and never passed on', async () => {
    stage.backend.script = inTurn(failing(503), fine);
    await stage.start(usual);
    const more = `${fields}x_gatehouse_timeout_ms: 1\r\nx-gatehouse-try-timeout-ms: 1\r\n`;
    expect(statusOf(await stage.ask(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\n`))).toBe(200);
    expect(stage.backend.requests.map(({ head }) => head.toLowerCase()).join('')).not.toMatch(
      /x.gatehouse/,
    );
  });

  it('tell the upstream how much time is left, less with each try', async () => {
    stage.backend.script = inTurn(silence, fine);
    const timeouts = { request: 5000, backendRequest: 5000 };
    await stage.start({ ...usual, tryTimeoutMs: 1000 }, { rule: { timeouts } });
    await stage.ask();
    const left = stage.backend.requests.map(({ fields: found }) =>
      valuesOf(found, 'x-gatehouse-timeout-ms').map(Number),
    );
    expect(left.map(({ length }) => length)).toEqual([1, 1]);
    expect(left[0]![0]).toBeLessThanOrEqual(5000);
    expect(left[0]![0]).toBeGreaterThan(2000);
    expect(left[1]![0]).toBeLessThanOrEqual(left[0]![0]! - 1000);
  });
});
