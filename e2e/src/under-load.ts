import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { reasonsOf } from '../load/report.ts';
import { defaultRate, startLoad } from '../load/start.ts';
import { loadFigure } from './figures.ts';
import { httpPort } from './gatehouse.ts';

/** Each disturbance is watched for so many seconds. */
export const disturbance = Number(process.env.E2E_SECONDS ?? 60);

/**
 * Disturbs while requests go at a steady rate to `authority`, which begin before and end after: none may
 * fail, and none may be answered with another body than one of `bodies`.
 */
export async function noneFails(
  name: string,
  { authority, bodies }: { authority: string; bodies: readonly string[] },
  disturb: () => Promise<unknown>,
  seconds = disturbance,
): Promise<void> {
  const load = startLoad({ port: httpPort, authority });
  const ended = (async () => {
    await pause(1000);
    await Promise.all([disturb(), pause(seconds * 1000)]);
    await pause(1000);
  })();
  const [outcome] = await Promise.allSettled([ended]);
  const report = await load.stop();
  loadFigure(name, report);
  if (outcome.status === 'rejected') throw outcome.reason;
  const { sent, answered } = report;
  expect(reasonsOf(report)).toEqual([]);
  expect(answered).toBe(sent);
  // The rate is a figure; a load that hardly ran would prove nothing.
  expect(sent).toBeGreaterThan((seconds * defaultRate) / 4);
  expect(Object.keys(report.bodies).filter((body) => !bodies.includes(body))).toEqual([]);
}
