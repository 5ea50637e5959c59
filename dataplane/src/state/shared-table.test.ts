import { describe, expect, it } from 'vitest';
import {
  contentAt,
  createShareMemory,
  createTableMemory,
  SharedTable,
  type TableShape,
} from './shared-table.ts';

const shape: TableShape = { rows: 200, words: 8, shareWords: 2 };

function twoThreads(rows = shape.rows) {
  const own = { ...shape, rows };
  const memory = createTableMemory(own);
  const shares = [createShareMemory(own), createShareMemory(own)] as const;
  const one = new SharedTable(own, memory, shares[0]);
  const two = new SharedTable(own, memory, shares[1]);
  return { one, two, shares };
}

describe('a table in shared memory', () => {
  it('gives all threads the same row for a name, and others for others', () => {
    const { one, two } = twoThreads();
    const row = one.claim('a');
    row.words[row.at + contentAt] = 7;
    const same = two.claim('a');
    expect(same.words[same.at + contentAt]).toBe(7);
    const other = two.claim('b');
    expect(other.at).not.toBe(row.at);
    expect(two.find('a')?.at).toBe(row.at);
    expect(two.find('c')).toBeUndefined();
  });

  it('keeps a row while somebody holds it, then makes it anew', () => {
    const { one, two } = twoThreads();
    const first = one.claim('a');
    const second = two.claim('a');
    first.words[first.at + contentAt] = 7;
    one.release(first);
    expect(two.find('a')?.words[second.at + contentAt]).toBe(7);
    two.release(second);
    expect(two.find('a')).toBeUndefined();
    const third = one.claim('a');
    expect(third.words[third.at + contentAt]).toBe(0);
  });

  it('lets a row go that was given back: what is done to it nobody sees', () => {
    const { one, two } = twoThreads();
    const row = one.claim('a');
    one.release(row);
    const next = two.claim('a');
    row.words[row.at + contentAt] = 7;
    expect(next.words[next.at + contentAt]).toBe(0);
    one.release(row);
    expect(two.find('a')).toBeDefined();
  });

  it('holds a row as often as it was claimed', () => {
    const { one } = twoThreads();
    const rows = [one.claim('a'), one.claim('a')];
    one.release(rows[0]!);
    expect(one.find('a')).toBeDefined();
    one.release(rows[1]!);
    expect(one.find('a')).toBeUndefined();
  });

  it('takes back what a thread held that is gone', () => {
    const { one, two, shares } = twoThreads();
    const mine = one.claim('both');
    const lost = two.claim('both');
    two.claim('lost');
    two.claim('lost');
    lost.share[lost.shareAt + 1] = 5;
    const seen: number[] = [];
    one.releaseAll(shares[1], (row) => seen.push(row.share[row.shareAt + 1] ?? 0));
    expect(seen.sort()).toEqual([0, 5]);
    expect(one.find('lost')).toBeUndefined();
    expect(one.find('both')?.at).toBe(mine.at);
    one.release(mine);
    expect(one.find('both')).toBeUndefined();
  });

  it('is full when it is full: rows that nobody else sees, and none is lost', () => {
    const { one, two } = twoThreads();
    const rows = Array.from({ length: 400 }, (_, i) => one.claim(`name ${i}`));
    const shared = rows.filter(({ at }) => at > 0);
    expect(shared.length).toBeGreaterThan(150);
    expect(new Set(shared.map(({ at }) => at)).size).toBe(shared.length);
    const alone = rows.findIndex(({ at }) => at === 0);
    rows[alone]!.words[contentAt] = 3;
    expect(two.find(`name ${alone}`)).toBeUndefined();
    expect(two.claim(`name ${alone}`).words[contentAt]).toBe(0);
    for (const row of rows) one.release(row);
    for (let i = 0; i < 400; i++) expect(one.find(`name ${i}`)).toBeUndefined();
  });
});
