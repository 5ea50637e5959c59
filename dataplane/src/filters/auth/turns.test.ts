import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

/** Something that runs until it is told to end. */
function job() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const job = { started: false, resolve, reject, run: () => promise };
  job.run = () => {
    job.started = true;
    return promise;
  };
  return job;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('runs so many at a time, lets so many wait in order, and refuses the others', async () => {
  const turns = createTurns({ running: 2, waiting: 2 });
  const jobs = [job(), job(), job(), job(), job()];
  const results = jobs.map(({ run }) => turns.take(run));
  const started = () => jobs.map((one) => one.started);
  expect(started()).toEqual([true, true, false, false, false]);
  expect(results[4]).toBeUndefined();
  jobs[1]!.resolve('b');
  expect(await results[1]).toBe('b');
  await settled();
  expect(started()).toEqual([true, true, true, false, false]);
  jobs[2]!.reject(new Error('broken'));
  await expect(results[2]).rejects.toThrow('broken');
  await settled();
  expect(started()).toEqual([true, true, true, true, false]);
  jobs[0]!.resolve('a');
  jobs[3]!.resolve('d');
  expect(await Promise.all([results[0], results[3]])).toEqual(['a', 'd']);
  expect(await turns.take(async () => 'later')).toBe('later');
});

it('gives a place back when something throws at once', async () => {
  const turns = createTurns({ running: 1, waiting: 0 });
  const fails = () => {
    throw new Error('at once');
  };
  await expect(turns.take(fails)).rejects.toThrow('at once');
  expect(await turns.take(async () => 1)).toBe(1);
});
