import { describe, expect, it } from 'vitest';
import { drops, type HeaderChanges, noEdits, prepareEdits, withoutDropped } from './edits.ts';

const changes = (given: Partial<HeaderChanges>): HeaderChanges => ({
  add: [],
  set: [],
  remove: [],
  ...given,
});
const field = (name: string, value = '1') => ({ name, value });

describe('prepared header edits', () => {
  it('are none when nothing is asked', () => {
    expect(prepareEdits()).toBe(noEdits);
    expect(prepareEdits(undefined, changes({}))).toBe(noEdits);
  });

  it.each<[string, HeaderChanges[], drop: string[], append: string]>([
    ['add', [changes({ add: [field('A'), field('A', '2')] })], [], 'A: 1\r\nA: 2\r\n'],
    ['set', [changes({ set: [field('A')] })], ['a'], 'A: 1\r\n'],
    ['remove', [changes({ remove: ['A', 'b'] })], ['a', 'b'], ''],
    [
      'set and add the same',
      [changes({ set: [field('A')], add: [field('a', '2')] })],
      ['a'],
      'A: 1\r\na: 2\r\n',
    ],
    [
      'a later set wins',
      [changes({ set: [field('A')] }), changes({ set: [field('a', '2')] })],
      ['a'],
      'a: 2\r\n',
    ],
    [
      'a later set takes what was added',
      [changes({ add: [field('A')] }), changes({ set: [field('a', '2')] })],
      ['a'],
      'a: 2\r\n',
    ],
    [
      'a later remove takes what was set',
      [changes({ set: [field('A')] }), changes({ remove: ['a'] })],
      ['a'],
      '',
    ],
    [
      'a later add keeps what was set',
      [changes({ set: [field('A')] }), changes({ add: [field('a', '2')] })],
      ['a'],
      'A: 1\r\na: 2\r\n',
    ],
  ])('%s', (_name, given, drop, append) => {
    const edits = prepareEdits(...given);
    expect([...edits.drop].sort()).toEqual(drop);
    expect(edits.append).toBe(append);
  });

  it('drop names in any case, and no others of the same length', () => {
    const edits = prepareEdits(changes({ remove: ['abc', 'x'.repeat(35)] }));
    const dropped = (name: string) => drops(edits, `..${name}..`, 2, 2 + name.length);
    expect(['abc', 'ABC', 'aBc', 'X'.repeat(35)].every(dropped)).toBe(true);
    // 35 and 3 are the same length modulo 32.
    expect(['abd', 'ab', 'abcd', 'y'.repeat(35), 'x'.repeat(3), ''].some(dropped)).toBe(false);
  });

  it('leave out own lines that are dropped', () => {
    const edits = prepareEdits(changes({ set: [field('Via')], remove: ['forwarded'] }));
    const own = 'x-forwarded-for: 1\r\nvia: 1.1 x\r\nforwarded: for=a\r\nx-request-id: v:w\r\n';
    expect(withoutDropped(edits, own)).toBe('x-forwarded-for: 1\r\nx-request-id: v:w\r\n');
    expect(withoutDropped(noEdits, own)).toBe(own);
  });
});
