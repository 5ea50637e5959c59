import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { backendObjects } from '../../src/backend.ts';
import { helm, installGatehouse, namespace, release } from '../../src/gatehouse.ts';
import type { Kubectl } from '../../src/kubectl.ts';
import { readyPods } from '../../src/pods.ts';
import { program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';
import { noneFails, disturbance as seconds } from '../../src/under-load.ts';

const { cluster, kubectl, domain } = suite('zero-failures');
const host = `load.${domain}`;

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

/** The certificate of the controllers, base64. */
const certificateOf = (system: Kubectl, name: string) =>
  system('get', 'secret', name, '--output=jsonpath={.data.tls\\.crt}');

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
        const system = kubectl.in(namespace);
        // As the guide has it: what is missing is made anew, by the same authority.
        const missing = ['tls.crt', 'tls.key'].map((name) => ({
          op: 'remove',
          path: `/data/${name}`,
        }));
        const name = `${release}-controller-tls`;
        const before = await certificateOf(system, name);
        const patch = JSON.stringify(missing);
        await system('patch', 'secret', name, '--type=json', '--patch', patch);
        await waitFor('another certificate', async () => {
          const after = await certificateOf(system, name);
          return after !== '' && after !== before;
        });
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
      await noneFails(name, { authority: host, bodies: ['v1', 'v2'] }, disturb);
      // What was disturbed works, and not only what was open before.
      await program(kubectl, echo(name.replaceAll(' ', '-')));
    },
    (seconds * 2 + 240) * 1000,
  );

  it('and the release is as it was', async () => {
    expect(await helm(cluster, 'status', release)).toContain('STATUS: deployed');
  });
});
