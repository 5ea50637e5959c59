import { setTimeout as pause } from 'node:timers/promises';
import type { Report } from '../../../e2e/load/report.ts';
import { startLoad } from '../../../e2e/load/start.ts';
import type { Context, Measurement } from '../context.ts';
import { onOwnCore, type StartThere } from '../cores.ts';
import { quantile } from '../figure.ts';
import { loadRoute, pathOf } from '../objects.ts';
import { atRate } from '../pace.ts';
import { changesPerSecond, growTo } from './steady.ts';

const rounds = 3;
const rate = 1000;

/** Requests while snapshots are swapped, against requests while none is. */
export const swaps: Measurement = {
  name: 'swaps',
  async measure(context) {
    await growTo(context, 5000);
    const [dataPlane] = context.dataPlanes;
    if (dataPlane === undefined) throw new Error('Cannot load: there is no data plane');
    const { usual, swapping } = await onOwnCore(context, dataPlane, (there) =>
      byTurns(context, there),
    );
    const p99 = (reports: Report[]) =>
      quantile(
        reports.map(({ latency }) => latency.p99),
        0.5,
      );
    const failed = [...usual, ...swapping].reduce((sum, { failures }) => sum + failures.length, 0);
    const what = `${context.routes} Routes, ${rate} requests a second`;
    return [
      { name: `${what}: p99, usual`, value: p99(usual), unit: 'ms' },
      {
        name: `${what}: p99 during ${changesPerSecond} swaps a second`,
        value: p99(swapping),
        unit: 'ms',
      },
      { name: 'the one to the other', value: p99(swapping) / p99(usual), unit: 'times', bar: 3 },
      { name: 'requests that failed', value: failed, unit: '', bar: 0 },
    ];
  },
};

/** So that whatever else slows the machine slows both. */
async function byTurns(context: Context, there: StartThere) {
  const { api } = context.stage;
  const usual: Report[] = [];
  const swapping: Report[] = [];
  for (let round = 0; round < rounds; round++) {
    usual.push(await load(context, there, async () => undefined));
    const changes = atRate(changesPerSecond, (count) => {
      const object = loadRoute(`${round} ${count}`);
      return api.apply(pathOf(object), object);
    });
    swapping.push(await load(context, there, () => changes.stop()));
  }
  return { usual, swapping };
}

async function load(
  context: Context,
  there: StartThere,
  end: () => Promise<unknown>,
): Promise<Report> {
  const [target] = context.targets;
  if (target === undefined) throw new Error('Cannot load: there is no data plane');
  const running = await there(() =>
    startLoad({ ...target, authority: 'load.example.com', path: '/a', rate }),
  );
  await pause(context.seconds(6) * 1000);
  await end();
  return running.stop();
}
