import { expect, test } from 'vitest';
import { optionsOf } from './options.ts';

const names = ['propagation', 'burst'];

test('defaults', () => {
  expect(optionsOf([], names)).toEqual({
    only: undefined,
    scale: 1,
    programs: 'dist',
    profile: undefined,
    strict: false,
  });
});

test('everything', () => {
  const args = ['--only', 'burst, propagation', '--scale', '0.5', '--strict'];
  expect(optionsOf([...args, '--profile', 'p', '--programs=d'], names)).toEqual({
    only: ['burst', 'propagation'],
    scale: 0.5,
    programs: 'd',
    profile: 'p',
    strict: true,
  });
});

test.each([
  [['--only', 'bursts'], 'Cannot measure "bursts": there are propagation, burst'],
  [['--scale', '2'], 'Cannot use --scale "2": it is a number from 0.01 to 1'],
  [['--scale', 'all'], 'Cannot use --scale "all"'],
  [['--loose'], "Unknown option '--loose'"],
])('%j is refused', (args, reason) => {
  expect(() => optionsOf(args, names)).toThrow(reason);
});
