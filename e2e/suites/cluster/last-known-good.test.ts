import { describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { figure } from '../../src/figures.ts';
import { namespace, release } from '../../src/gatehouse.ts';
import { podsOf, readyPods, signalPod } from '../../src/pods.ts';
import { program } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl } = suite('last-known-good');

const file = '/var/lib/gatehouse/last-known-good';

/** For every host, so that it can be asked for through the API server. */
const route = {
  apiVersion: 'gatehouse.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: 'anywhere' },
  spec: {
    rules: [
      {
        name: 'all',
        matches: [{ path: { type: 'Exact', value: '/last-known-good' } }],
        respond: { status: 200, body: 'still here' },
      },
    ],
  },
};

describe('a data plane that is restarted while there is no controller', () => {
  it('serves the last known good config', async () => {
    await program(kubectl, route);
    // It is written a second after the last one at the earliest, and this cluster may be that young.
    for (const { metadata } of await readyPods(kubectl, 'dataplane', 2)) {
      await waitFor('the file with the Route', () => isSaved(metadata.name));
    }
    const scale = (count: number) =>
      kubectl.in(namespace)('scale', `deployment/${release}-controller`, `--replicas=${count}`);
    await scale(0);
    try {
      await waitFor(
        'the end of the controller',
        async () => (await podsOf(kubectl, 'controller')).length === 0,
      );
      const [pod] = await readyPods(kubectl, 'dataplane', 2);
      const { name } = pod!.metadata;
      const ask = () =>
        kubectl(
          'get',
          '--raw',
          `/api/v1/namespaces/${namespace}/pods/${name}:8080/proxy/last-known-good`,
        );
      expect(await ask()).toBe('still here');
      const restarts = await restartsOf(name);
      await signalPod(cluster, pod!, 'KILL');
      await waitFor('the restart', async () => (await restartsOf(name)).count > restarts.count);
      const { startedAt } = await restartsOf(name);
      await waitFor('an answer', async () => (await ask()) === 'still here', { interval: 20 });
      // The start is known to the second.
      const value = Number(((Date.now() - Date.parse(startedAt)) / 1000).toFixed(1));
      figure({ name: 'last known good config served after a start', value, unit: 's', most: 2 });
    } finally {
      await scale(2);
      await readyPods(kubectl, 'controller', 2);
    }
    await readyPods(kubectl, 'dataplane', 2);
  });

  async function isSaved(pod: string): Promise<boolean> {
    const script = `process.stdout.write(fs.readFileSync('${file}', 'latin1').includes('still here') ? 'saved' : '')`;
    return (await kubectl.in(namespace)('exec', pod, '--', 'node', '-e', script)) === 'saved';
  }

  async function restartsOf(name: string) {
    const pods = await podsOf(kubectl, 'dataplane');
    const status = pods.find(({ metadata }) => metadata.name === name)?.status;
    const container = status?.containerStatuses?.[0];
    return {
      count: container?.state.running === undefined ? 0 : container.restartCount,
      startedAt: container?.state.running?.startedAt ?? '',
    };
  }
});
