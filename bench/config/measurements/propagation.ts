import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Measurement } from '../context.ts';
import { quantile } from '../figure.ts';
import { addressOf, answerRoute, endpointSlice, endpointsEach, pathOf } from '../objects.ts';
import { atRate } from '../pace.ts';
import { probeName } from '../population.ts';
import { untilServed } from '../serving.ts';

/** Milliseconds between two changes at the least: each is seen alone. */
const gap = 100;
const endpointChanges = 50;

/** From before the write to the moment when each data plane serves it, again and again. */
async function changes({ stage, targets, seconds }: Context): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + seconds(20) * 1000;
  for (let count = 0; performance.now() < until; count++) {
    const name = probeName(count);
    const text = `change ${count} of ${until}`;
    const object = answerRoute(name, text);
    const begin = performance.now();
    // The answer of the API server may come after the data planes serve what was written.
    const [served] = await Promise.all([
      untilServed(targets, `${name}.example.com`, text),
      stage.api.apply(pathOf(object), object),
    ]);
    times.push(served - begin);
    await pause(gap * (0.5 + Math.random()));
  }
  return times;
}

/** One change of one Route, when nothing else happens. */
export const propagation: Measurement = {
  name: 'propagation',
  async measure(context) {
    const times = await changes(context);
    const what = `a Route written -> both data planes serve it, ${context.routes} Routes`;
    return [
      { name: `${what}, p50`, value: quantile(times, 0.5), unit: 'ms', bar: 60 },
      { name: `${what}, p95`, value: quantile(times, 0.95), unit: 'ms', bar: 300 },
      { name: 'changes measured', value: times.length, unit: '' },
    ];
  },
};

/** The same while endpoints come and go. */
export const churn: Measurement = {
  name: 'churn',
  async measure(context) {
    const { stage, size } = context;
    const endpoints = atRate(endpointChanges, (count) => {
      const slice = endpointSlice(count % size.services);
      const place = count % endpointsEach;
      const value = addressOf(size.services * endpointsEach + count);
      const path = `/endpoints/${place}/addresses/0`;
      return stage.api.patch(pathOf(slice), [{ op: 'replace', path, value }]);
    });
    const begin = performance.now();
    const times = await changes(context).finally(() => endpoints.stop());
    const rate = endpoints.count() / ((performance.now() - begin) / 1000);
    const what = `the same under ${endpointChanges} endpoint changes a second`;
    return [
      { name: `${what}, p50`, value: quantile(times, 0.5), unit: 'ms' },
      { name: `${what}, p95`, value: quantile(times, 0.95), unit: 'ms', bar: 500 },
      { name: 'endpoint changes', value: rate, unit: '/s' },
    ];
  },
};
