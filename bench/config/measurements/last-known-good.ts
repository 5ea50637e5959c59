import type { Measurement } from '../context.ts';
import { answerRoute, pathOf } from '../objects.ts';
import { probeName } from '../population.ts';
import { untilServed } from '../serving.ts';

/** All controllers gone, and a data plane starts again. Nothing is left to measure after it. */
export const lastKnownGood: Measurement = {
  name: 'last-known-good',
  async measure(context) {
    const { stage, controllers, dataPlanes, targets } = context;
    const [dataPlane] = dataPlanes;
    const [controller] = controllers;
    const [target] = targets;
    if (!dataPlane || !controller || !target) throw new Error('Cannot stop what does not run');
    const object = answerRoute(probeName(0), 'last known good');
    const authority = `${probeName(0)}.example.com`;
    await stage.api.apply(pathOf(object), object);
    await untilServed(targets, authority, 'last known good');
    // In order: what it serves is then in its file.
    await dataPlane.stop('SIGTERM');
    await Promise.all(controllers.map((one) => one.stop('SIGKILL')));
    const again = await stage.startDataPlane(1, controller);
    const served = await untilServed([target], authority, 'last known good');
    const what = `no controller, ${context.routes} Routes: started -> serves the last known good config`;
    return [{ name: what, value: served - again.startedAt, unit: 'ms', bar: 2000 }];
  },
};
