import { describe, expect, test } from 'vitest';
import { findBodyFault, parseH2load, readP99Ms } from './h2load.ts';

const report = `starting benchmark...
spawning thread #0: 16 total client(s). Timing-based test with 0s of warm-up time and 2s of main duration for measurements.
Application protocol: h2c

finished in 2.00s, 30166.50 req/s, 4.92MB/s
requests: 60333 total, 60461 started, 60333 done, 60333 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 60333 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 9.84MB (10317727) total, 6.27MB (6576297) headers (space savings 39.78%), 589.19KB (603330) data
                     min         max         mean         sd        +/- sd
time for request:      667us     19.81ms      4.01ms      1.73ms    74.33%
`;

describe('parseH2load', () => {
  test('reads the figures out of the report', () => {
    expect(parseH2load(report)).toEqual({
      requests: 60333,
      seconds: 2,
      rps: 30166.5,
      bodyBytes: 603330,
      errors: [],
    });
  });

  test('counts what succeeded, and lists every kind of error', () => {
    const text = report
      .replace('60333 succeeded, 0 failed, 0 errored', '60325 succeeded, 8 failed, 3 errored')
      .replace('60333 2xx, 0 3xx, 0 4xx, 0 5xx', '60325 2xx, 1 3xx, 0 4xx, 7 5xx');
    expect(parseH2load(text)).toMatchObject({
      requests: 60325,
      errors: [
        { kind: 'failed', count: 8 },
        { kind: 'errored', count: 3 },
        { kind: 'status other than 2xx', count: 8 },
      ],
    });
  });

  test('knows a time that is not in seconds', () => {
    expect(parseH2load(report.replace('2.00s,', '987.50ms,')).seconds).toBeCloseTo(0.9875);
  });

  test.each([
    ['finished in', /no line "finished in"/],
    ['requests:', /no line "requests:"/],
    ['status codes:', /no line "status codes:"/],
    ['traffic:', /no line "traffic:"/],
  ])('refuses a report without %s', (line, message) => {
    expect(() => parseH2load(report.replace(line, 'gone'))).toThrow(message);
  });
});

describe('readP99Ms', () => {
  test('is the time that 99 of 100 requests took less than', () => {
    const lines = Array.from({ length: 200 }, (_, index) => `17955935605\t200\t${index + 1}\n`);
    expect(readP99Ms(lines.reverse().join(''))).toBe(0.199);
  });

  test('is no number when nothing was logged', () => {
    expect(readP99Ms('')).toBeNaN();
  });
});

test.each([
  [1000, true],
  [1020, true],
  [999, false],
  [1021, false],
])('100 answers of 10 bytes, 2 under way, %d bytes in all: %s', (bodyBytes, fine) => {
  expect(findBodyFault({ requests: 100, bodyBytes }, 10, 2) === undefined).toBe(fine);
});
