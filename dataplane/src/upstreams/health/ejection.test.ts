import { describe, expect, it } from 'vitest';
import { EndpointNumber } from '../shared/endpoint-row.ts';
import { ownUpstreamTables } from '../shared/upstream-memory.ts';
import { UpstreamWord } from '../shared/upstream-row.ts';
import { eject, isEjected, isServed, isUnhealthy, readmit, setUnhealthy } from './ejection.ts';
import type { EjectionSettings } from './ejection-settings.ts';

const settings: EjectionSettings = {
  consecutiveErrors: 5,
  consecutiveGatewayErrors: 5,
  baseTime: 1000,
  maxTime: 2500,
  maxPercent: 50,
  successRate: false,
};

function rowsOf(count: number) {
  const tables = ownUpstreamTables();
  const upstream = tables.upstreams.claim('up');
  const rows = Array.from({ length: count }, (_, i) => tables.endpoints.claim(`up ${i}`));
  const version = () => upstream.words[upstream.at + UpstreamWord.version];
  const out = (index: number, at: number, more: Partial<EjectionSettings> = {}) =>
    eject(rows[index]!, 'success rate', rows, upstream, { ...settings, ...more }, at);
  return { upstream, rows, version, out };
}

describe('an ejection', () => {
  it('lasts longer each time, up to a limit', () => {
    const { rows, upstream, out } = rowsOf(4);
    const lengths: number[] = [];
    let at = 10_000;
    for (let i = 0; i < 4; i++) {
      expect(out(0, at)).toBe(true);
      const until = rows[0]!.numbers[(rows[0]!.at + EndpointNumber.ejectedUntil) / 2] ?? 0;
      lengths.push(until - at);
      expect(isServed(rows[0]!, until - 1)).toBe(false);
      expect(isServed(rows[0]!, until)).toBe(true);
      at = until;
      readmit(rows[0]!, upstream, at);
      expect(isEjected(rows[0]!)).toBe(false);
      expect(isServed(rows[0]!, at)).toBe(false);
    }
    expect(lengths).toEqual([1000, 2000, 2500, 2500]);
  });

  it.each<[number, number, number]>([
    // Endpoints, percent, how many of them can be ejected.
    [1, 50, 1],
    [2, 50, 1],
    [3, 50, 1],
    [4, 50, 2],
    [8, 50, 4],
    [8, 1, 1],
    [3, 100, 3],
  ])('of %i endpoints at %i percent: %i', (count, maxPercent, most) => {
    const { rows, out } = rowsOf(count);
    for (let i = 0; i < count; i++) out(i, 1000, { maxPercent });
    expect(rows.filter(isEjected)).toHaveLength(most);
  });

  it('is told to all threads, once', () => {
    const { version, out, upstream, rows } = rowsOf(4);
    expect(out(0, 1000)).toBe(true);
    expect(version()).toBe(1);
    expect(out(0, 1000)).toBe(false);
    expect(version()).toBe(1);
    readmit(rows[0]!, upstream, 2000);
    expect(version()).toBe(2);
  });

  it('and bad health do not touch each other', () => {
    const { rows, out, upstream } = rowsOf(4);
    const [row] = rows;
    out(0, 1000);
    setUnhealthy(row!, upstream, true, 1000);
    readmit(row!, upstream, 2000);
    expect([isEjected(row!), isUnhealthy(row!)]).toEqual([false, true]);
    setUnhealthy(row!, upstream, false, 3000);
    expect([isEjected(row!), isUnhealthy(row!)]).toEqual([false, false]);
  });
});
