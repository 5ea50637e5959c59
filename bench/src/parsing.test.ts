import { expect, test } from 'vitest';
import { parseRequestCount } from './backend.ts';
import { parseResidentBytes, parseStat } from './process-tree.ts';
import { parseMetric } from './prometheus.ts';
import { backendBody } from './service.ts';

test('the backend answers 142 bytes', () => {
  expect(Buffer.byteLength(backendBody)).toBe(142);
});

test('the count of requests is the third of the counters', () => {
  const page =
    'Active connections: 2 \nserver accepts handled requests\n 5 6 731 \nReading: 0 Writing: 1 Waiting: 1 \n';
  expect(parseRequestCount(page)).toBe(731);
  expect(() => parseRequestCount('<html>')).toThrow('no line of three numbers');
});

test('a process name may hold spaces and parentheses', () => {
  const rest = 'S 41 42 42 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0';
  expect(parseStat(`42 (a) b (c) ${rest}`)).toEqual({ pid: 42, parent: 41, cpuSeconds: 2 });
});

test('resident memory is read in bytes, and a zombie has none', () => {
  expect(parseResidentBytes('Name:\tx\nVmHWM:\t  900 kB\nVmRSS:\t  512 kB\n')).toBe(524288);
  expect(parseResidentBytes('Name:\tx\nState:\tZ (zombie)\n')).toBe(0);
});

test.each([
  ['rss 1000', 1000],
  ['# TYPE rss gauge\nrss 1.5e+07\nrss_other 3', 1.5e7],
  ['rss{worker="1"} 2\nrss{worker="2 {x}"} 3 1700000000', 5],
])('a metric is read from %j', (page, value) => {
  expect(parseMetric(page, 'rss')).toBe(value);
});

test('a metric that is missing is an error, not zero', () => {
  expect(() => parseMetric('rss_other 3', 'rss')).toThrow('"rss"');
});
