import { expect, it } from 'vitest';
import { optionsOf } from './options.ts';

it('options have defaults', () => {
  expect(optionsOf({ SECONDS: '' }, 7)).toEqual({
    seed: 7,
    seconds: 120,
    rate: 1000,
    endpoints: 8,
    workers: 1,
  });
  expect(optionsOf({ SEED: '1', SECONDS: '15', WORKERS: '2' }, 7)).toMatchObject({
    seed: 1,
    seconds: 15,
    workers: 2,
  });
});

it.each([
  ['SECONDS', '14', 'Cannot use SECONDS="14": expected 15 to 3600'],
  ['SECONDS', 'many', 'Cannot use SECONDS="many": expected 15 to 3600'],
  ['SEED', '-1', 'Cannot use SEED="-1": expected 0 to 2147483647'],
  ['WORKERS', '1.5', 'Cannot use WORKERS="1.5": expected 1 to 64'],
])('%s=%s is refused', (name, value, message) => {
  expect(() => optionsOf({ [name]: value }, 7)).toThrow(message);
});
