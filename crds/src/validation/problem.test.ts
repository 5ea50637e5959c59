import { describe, expect, it } from 'vitest';
import { nearest, pathText } from '../index.ts';

describe('pathText', () => {
  it.each([
    [[], ''],
    [['spec'], 'spec'],
    [['spec', 'rules', 0, 'matches', 1, 'path', 'value'], 'spec.rules[0].matches[1].path.value'],
    [['metadata', 'labels', 'app.kubernetes.io/name'], 'metadata.labels["app.kubernetes.io/name"]'],
    [['items', 3], 'items[3]'],
    [['a\nb'], '["a\\nb"]'],
  ])('%j', (path, expected) => {
    expect(pathText(path)).toBe(expected);
  });
});

describe('nearest', () => {
  const known = ['backends', 'redirect', 'respond', 'name', 'port'];
  it.each([
    ['backend', 'backends'],
    ['bakcends', 'backends'],
    ['Redirect', 'redirect'],
    ['nmae', 'name'],
    ['prot', 'port'],
    ['post', 'port'],
    ['pst', undefined],
    ['timeouts', undefined],
    ['', undefined],
    ['b'.repeat(100_000), undefined],
  ])('%s', (word, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });
});
