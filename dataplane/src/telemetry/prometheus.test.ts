import { describe, expect, it } from 'vitest';
import { labelValue } from '../state/label-value.ts';
import { durationBounds, durationWidth, requestDuration, requestsTotal } from './families.ts';
import { prometheusText } from './prometheus.ts';
import { createRegion, createSeries, type SeriesName } from './series.ts';

function thread() {
  const names: SeriesName[] = [];
  const region = createRegion();
  const series = createSeries(region, (name) => names.push(name));
  return { region: { values: new Float64Array(region), names }, series };
}

describe('the text of /metrics', () => {
  it.each([
    ['plain', 'plain'],
    ['a"b', 'a\\"b'],
    ['a\\b', 'a\\\\b'],
    ['a\nb', 'a\\nb'],
    ['\\n"\n', '\\\\n\\"\\n'],
  ])('escapes the label value %j', (value, escaped) => {
    expect(labelValue(value)).toBe(escaped);
  });

  it('adds the threads up and sorts by labels', () => {
    const [one, two] = [thread(), thread()];
    for (const [index, { series }] of [one, two].entries()) {
      series.values[series.slot(requestsTotal.name, 'path="/b"')]! += 1 + index;
      series.values[series.slot(requestsTotal.name, 'path="/a"')]! += 10;
    }
    two.series.values[two.series.slot(requestsTotal.name, 'path="/c"')]! += 5;
    const text = prometheusText(
      [one.region, two.region],
      [{ name: 'p', type: 'gauge', help: 'A process.', value: 1.5 }],
    );
    expect(text.split('\n').filter((line) => line.startsWith('gateway_requests_total'))).toEqual([
      'gateway_requests_total{path="/a"} 20',
      'gateway_requests_total{path="/b"} 3',
      'gateway_requests_total{path="/c"} 5',
    ]);
    expect(text).toContain('# TYPE gateway_requests_total counter\n');
    expect(text.endsWith('# HELP p A process.\n# TYPE p gauge\np 1.5\n')).toBe(true);
  });

  it('accumulates the buckets of a histogram', () => {
    const { series, region } = thread();
    const slot = series.slot(requestDuration.name, 'path="/"', durationWidth);
    series.values[slot]! += 2;
    series.values[slot + 3]! += 1;
    series.values[slot + durationBounds.length]! += 4;
    series.values[slot + durationWidth - 1]! += 0.25;
    const lines = prometheusText([region], []).split('\n');
    const buckets = lines.filter((line) => line.includes('_bucket{'));
    expect(buckets).toHaveLength(durationBounds.length + 1);
    expect(buckets[0]).toBe('gateway_request_duration_bucket{path="/",le="0.0005"} 2');
    expect(buckets[3]).toBe('gateway_request_duration_bucket{path="/",le="0.005"} 3');
    expect(buckets.at(-1)).toBe('gateway_request_duration_bucket{path="/",le="+Inf"} 7');
    expect(lines).toContain('gateway_request_duration_sum{path="/"} 0.25');
    expect(lines).toContain('gateway_request_duration_count{path="/"} 7');
  });

  it('names a series once, and never slot 0', () => {
    const { series, region } = thread();
    const first = series.slot('f', 'a');
    expect(first).toBeGreaterThan(0);
    expect(series.slot('f', 'a')).toBe(first);
    expect(series.slot('f', 'b', 3)).toBe(first + 1);
    expect(series.slot('g', 'a')).toBe(first + 4);
    expect(region.names).toHaveLength(3);
  });

  it('names nothing that has no room, and stays inside its memory', () => {
    const { series, region } = thread();
    for (let i = 0; i < 32_769; i++) series.slot('wide', String(i), 32);
    const announced = region.names.length;
    const end = Math.max(...region.names.map(({ slot }) => slot)) + 32;
    const lost = series.slot('late', 'x', 32);
    expect(lost).toBeGreaterThanOrEqual(end);
    expect(lost + 32).toBeLessThanOrEqual(series.values.length);
    expect(region.names).toHaveLength(announced);
  });
});
