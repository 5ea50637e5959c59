import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Measurement } from '../context.ts';
import { answerRoute, endpointsEach, pathOf } from '../objects.ts';
import { atRate } from '../pace.ts';
import { addRoutes, probeName, untilProgrammed } from '../population.ts';

export const changesPerSecond = 10;

/** Fills up to so many Routes and waits until their statuses are written. */
export async function growTo(context: Context, full: number): Promise<void> {
  const routes = context.count(full);
  const { stage, size } = context;
  if (context.routes < routes) {
    await addRoutes(stage, size, context.routes, routes);
    context.routes = routes;
  }
  await untilProgrammed(stage);
}

/** What controllers and data planes need with many Routes and a change now and then. */
export const steady: Measurement = {
  name: 'steady',
  async measure(context) {
    await growTo(context, 5000);
    const { stage, controllers, dataPlanes, size } = context;
    await pause(2000);
    const idle = await Promise.all(dataPlanes.map((one) => one.memory()));
    const before = await Promise.all(controllers.map((one) => one.cpu()));
    const begin = performance.now();
    const changes = atRate(changesPerSecond, (count) => {
      const object = answerRoute(probeName(count), `steady ${count}`);
      return stage.api.apply(pathOf(object), object);
    });
    await pause(context.seconds(20) * 1000);
    await changes.stop();
    const seconds = (performance.now() - begin) / 1000;
    const after = await Promise.all(controllers.map((one) => one.cpu()));
    const cores = after.map((cpu, n) => (cpu - (before[n] ?? 0)) / seconds);
    const memory = await Promise.all(controllers.map((one) => one.memory()));
    const served = await Promise.all(dataPlanes.map((one) => one.memory()));
    const what = `${context.routes} Routes, ${size.services * endpointsEach} endpoints`;
    return [
      {
        name: `data plane, ${what}: RSS`,
        value: Math.max(...idle, ...served),
        unit: 'MiB',
        bar: 300,
      },
      { name: `controller, ${what}: RSS`, value: Math.max(...memory), unit: 'MiB', bar: 400 },
      {
        name: `controller that leads, ${changesPerSecond} changes a second: CPU`,
        value: Math.max(...cores),
        unit: 'cores',
        bar: 0.5,
      },
      { name: 'controller that does not lead: CPU', value: Math.min(...cores), unit: 'cores' },
    ];
  },
};
