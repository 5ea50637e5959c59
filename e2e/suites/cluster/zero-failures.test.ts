import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Report, reasonsOf } from '../../load/report.ts';
import { startLoad } from '../../load/start.ts';
import { backendObjects } from '../../src/backend.ts';
import { loadFigure } from '../../src/figures.ts';
import { helm, httpPort, installGatehouse, namespace, release } from '../../src/gatehouse.ts';
import { readyPods } from '../../src/pods.ts';
import { program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl, domain } = suite('zero-failures');
const host = `load.${domain}`;
/** Each disturbance is watched for so long. */
const seconds = Number(process.env.E2E_SECONDS ?? 60);

const echo = (header: string) =>
  route('load', host, {
    backends: [{ name: 'echo', port: 80 }],
    responseHeaders: { set: [{ name: 'x-edit', value: header }] },
  });

beforeAll(async () => {
  await kubectl.apply(await backendObjects({ name: 'echo', version: 'v1' }));
  await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
  await program(kubectl, echo('0'));
});

/** Disturbs while 2,000 requests a second run, which begin before and end after. */
async function underLoad(name: string, disturb: () => Promise<unknown>): Promise<Report> {
  const load = startLoad({ port: httpPort, authority: host });
  let report: Report;
  try {
    await pause(1000);
    await Promise.all([disturb(), pause(seconds * 1000)]);
    await pause(1000);
  } finally {
    report = await load.stop();
    loadFigure(name, report);
  }
  return report;
}

const rolled = (what: string) => kubectl.in(namespace)('rollout', 'status', what, '--timeout=120s');

describe('no request fails', () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      '50 Route edits',
      async () => {
        for (let edit = 1; edit <= 50; edit++) {
          await kubectl.apply(echo(String(edit)));
          await pause(seconds * 10);
        }
      },
    ],
    [
      'a rollout of the backend',
      async () => {
        await kubectl('set', 'env', 'deployment/echo', 'VERSION=v2');
        await kubectl('rollout', 'status', 'deployment/echo', '--timeout=120s');
      },
    ],
    [
      'a rollout of the data planes',
      async () => {
        const name = `deployment/${release}-dataplane`;
        await kubectl.in(namespace)('rollout', 'restart', name);
        await rolled(name);
        await readyPods(kubectl, 'dataplane', 2);
      },
    ],
    [
      'a rollout of the controller',
      async () => {
        const name = `deployment/${release}-controller`;
        await kubectl.in(namespace)('rollout', 'restart', name);
        await rolled(name);
      },
    ],
    [
      'the controller gone',
      async () => {
        const scale = (count: number) =>
          kubectl.in(namespace)('scale', `deployment/${release}-controller`, `--replicas=${count}`);
        await scale(0);
        await pause(seconds * 1000);
        await scale(2);
        await readyPods(kubectl, 'controller', 2);
      },
    ],
    [
      'a new certificate of the controller',
      async () => {
        await kubectl.in(namespace)('delete', 'secret', `${release}-controller-tls`);
        await installGatehouse(cluster);
      },
    ],
    [
      'an upgrade of the chart',
      async () => {
        await installGatehouse(
          cluster,
          ...['--set', 'controller.logLevel=debug'],
          ...['--set', 'dataPlane.podAnnotations.upgraded=yes'],
        );
        await readyPods(kubectl, 'dataplane', 2);
      },
    ],
  ])(
    'during %s',
    async (name, disturb) => {
      const report = await underLoad(name, disturb);
      const { sent, answered, bodies } = report;
      expect(reasonsOf(report)).toEqual([]);
      expect(answered).toBe(sent);
      // The rate is a figure; a load that hardly ran would prove nothing.
      expect(sent).toBeGreaterThan(seconds * 500);
      expect(Object.keys(bodies).every((body) => ['v1', 'v2'].includes(body))).toBe(true);
      // What was disturbed works, and not only what was open before.
      await program(kubectl, echo(name.replaceAll(' ', '-')));
    },
    (seconds * 2 + 240) * 1000,
  );

  it('and the release is as it was', async () => {
    expect(await helm(cluster, 'status', release)).toContain('STATUS: deployed');
  });
});
