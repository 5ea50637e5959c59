import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaults, longestDuration, parseDuration } from './index.ts';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['1m30s', 90_000],
    ['1h1m1s1ms', 3_661_001],
    ['1m1m', 120_000],
    ['99999s', 99_999_000],
    ['99999h', longestDuration],
  ])('%s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(['', '1', 's', '1.5s', '-1s', '1d', '1 s', '123456s', '1s1s1s1s1s', '1S', '1s\n'])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration(text)).toThrow(`Cannot parse duration "${text}"`);
    },
  );

  it('adds the parts up', () => {
    const part = fc.tuple(fc.nat(99), fc.constantFrom('h', 'm', 's', 'ms'));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const texts = parts.map(([amount, unit]) => `${amount}${unit}`);
        const sum = texts.reduce((total, text) => total + parseDuration(text), 0);
        expect(parseDuration(texts.join(''))).toBe(sum);
      }),
    );
  });

  it('knows every default', () => {
    const { requestTimeout, backendRequestTimeout, idleTimeout, connectTimeout, poolIdleTimeout } =
      defaults;
    const durations = [requestTimeout, backendRequestTimeout, idleTimeout, connectTimeout];
    expect([...durations, poolIdleTimeout].map(parseDuration)).toEqual([
      0, 60_000, 300_000, 5000, 4000,
    ]);
  });
});
