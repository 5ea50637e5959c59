import { readFile, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Measurement } from '../context.ts';
import { answerRoute, pathOf, routesPath } from '../objects.ts';
import { inParallel } from '../pace.ts';
import { isProgrammed, type Watched } from '../population.ts';

/** Lines of the audit log, as far as they are read here. */
type AuditEvent = {
  verb: string;
  userAgent?: string;
  objectRef?: { resource: string; subresource?: string; name?: string };
};

const writers = 32;
const label = 'burst';

/** Many Routes at once: how soon their statuses say that they are served, and what that costs. */
export const burst: Measurement = {
  name: 'burst',
  async measure(context) {
    const { stage } = context;
    const count = context.count(1000);
    const { auditLog } = stage.controlPlane;
    const { size: logged } = await stat(auditLog);
    const programmed = new Set<string>();
    const all = Promise.withResolvers<number>();
    const watch = stage.api.watch(
      `${routesPath}?labelSelector=${label}&resourceVersion=0`,
      (event) => {
        const { object } = event as { object: Watched };
        if (!isProgrammed(object)) return;
        programmed.add(object.metadata.name);
        if (programmed.size === count) all.resolve(performance.now());
      },
    );
    const objects = Array.from({ length: count }, (_, n) =>
      answerRoute(`burst-${n}`, 'burst', { [label]: 'yes' }),
    );
    const begin = performance.now();
    const late = setTimeout(
      () => all.reject(new Error(`only ${programmed.size} are programmed`)),
      60_000,
    );
    await inParallel(objects, writers, (object) => stage.api.apply(pathOf(object), object));
    const written = performance.now();
    const end = await all.promise;
    clearTimeout(late);
    // Statuses of what follows from it may still be written.
    await pause(3000);
    watch.close();
    context.routes += count;
    const text = (await readFile(auditLog)).subarray(logged).toString('utf8');
    const writes = writesIn(text);
    const ofRoutes = writes.filter(({ objectRef }) => objectRef?.resource === 'routes');
    const each = Map.groupBy(ofRoutes, ({ objectRef }) => objectRef?.name);
    const most = Math.max(0, ...[...each.values()].map((list) => list.length));
    return [
      {
        name: `${count} Routes applied at once: all Programmed`,
        value: (end - begin) / 1000,
        unit: 's',
        bar: 5,
      },
      { name: 'of that, until the last was written', value: (written - begin) / 1000, unit: 's' },
      { name: 'writes of the controllers to a Route, at most', value: most, unit: '', bar: 2 },
      { name: 'writes of the controllers to Routes', value: ofRoutes.length, unit: '' },
      {
        name: 'writes of the controllers to anything else',
        value: writes.length - ofRoutes.length,
        unit: '',
        bar: 300,
      },
    ];
  },
};

function writesIn(text: string): AuditEvent[] {
  return text
    .split('\n')
    .filter((line) => line.includes('gatehouse-controller'))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(
      ({ userAgent, verb }) =>
        userAgent === 'gatehouse-controller' && /^(create|update|patch)$/.test(verb),
    )
    .filter(({ objectRef }) => objectRef?.resource !== 'tokenreviews');
}
