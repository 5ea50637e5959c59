import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { backendObjects } from '../../src/backend.ts';
import {
  chart,
  currentOf,
  helm,
  installVersion,
  namespace,
  release,
  type Version,
} from '../../src/gatehouse.ts';
import { podsOf, readyPods } from '../../src/pods.ts';
import { request } from '../../src/request.ts';
import { program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';
import { disturbance, noneFails } from '../../src/under-load.ts';

const { cluster, kubectl, domain } = suite('upgrade');
const { previous } = cluster;
const host = `load.${domain}`;
const current = currentOf(cluster);
/** While programs of both releases are together a part of the time must do. */
const brief = Math.min(disturbance, 20);
let edits = 0;

const system = kubectl.in(namespace);
const deployment = (component: string) => `deployment/${release}-${component}`;
const paused = async (component: string, paused: boolean) => {
  const spec = JSON.stringify({ spec: { paused } });
  await system('patch', deployment(component), '--type=merge', '--patch', spec);
};
const rolled = (component: string) =>
  system('rollout', 'status', deployment(component), '--timeout=150s');
const all = async () => {
  await rolled('controller');
  await rolled('dataplane');
  await readyPods(kubectl, 'controller', 2);
  await readyPods(kubectl, 'dataplane', 2);
};

/** Which tags of images run. */
async function running(): Promise<Record<'controller' | 'dataplane', string[]>> {
  const tags = async (component: 'controller' | 'dataplane') => {
    const images = (await podsOf(kubectl, component)).flatMap(({ spec }) =>
      spec.containers.map(({ image }) => image),
    );
    return [...new Set(images.map((image) => image.slice(image.lastIndexOf(':') + 1)))];
  };
  return { controller: await tags('controller'), dataplane: await tags('dataplane') };
}

/** As the guide says: what is defined first, then what uses it. */
async function upgradeCrds(): Promise<void> {
  const folder = join(chart, 'crds');
  await kubectl('apply', '--server-side', '--force-conflicts', '--filename', folder);
  await kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
}

/** An edit is served by every data plane, and said to be. */
async function editIsServed(): Promise<void> {
  edits += 1;
  const body = `edit ${edits}`;
  await program(kubectl, route('edited', `edited.${domain}`, { respond: { status: 200, body } }));
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => request(`http://edited.${domain}/`)),
  );
  expect(new Set(answers.map((answer) => answer.body))).toEqual(new Set([body]));
}

const load = { authority: host, bodies: ['v1'] };

// A clone without the commit of the previous release has said so when the run began.
describe.runIf(previous !== undefined)('from the previous release to this one', () => {
  const before = (): Version => ({
    chart: previous?.chart ?? '',
    tag: 'previous',
    build: previous?.commit.slice(0, 12) ?? '',
  });

  beforeAll(async () => {
    await helm(cluster, 'uninstall', release, '--wait', '--ignore-not-found');
    const ours = (await kubectl('get', 'crds', '--output=name'))
      .split('\n')
      .filter((name) => name.endsWith('.gatehouse.dev'));
    await kubectl('delete', ...ours, '--timeout=60s');
    await installVersion(cluster, before(), '--wait');
    await kubectl.apply(await backendObjects({ name: 'echo', version: 'v1' }));
    await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
    await program(kubectl, route('load', host, { backends: [{ name: 'echo', port: 80 }] }));
    await editIsServed();
  });

  it('data planes of this release are served by controllers of the previous one', async () => {
    await noneFails(
      'new data planes beside old controllers',
      load,
      async () => {
        await upgradeCrds();
        await paused('controller', true);
        await installVersion(cluster, current);
        await rolled('dataplane');
        await readyPods(kubectl, 'dataplane', 2);
        expect(await running()).toEqual({ controller: ['previous'], dataplane: ['dev'] });
        await editIsServed();
      },
      brief,
    );
  });

  it('and by those of this release as soon as they are there', async () => {
    await noneFails(
      'the controllers follow',
      load,
      async () => {
        await paused('controller', false);
        await all();
        expect(await running()).toEqual({ controller: ['dev'], dataplane: ['dev'] });
        await editIsServed();
      },
      brief,
    );
  });

  it('data planes of the previous release are served by controllers of this one', async () => {
    await noneFails(
      'old data planes beside new controllers, after a rollback',
      load,
      async () => {
        await paused('controller', true);
        await helm(cluster, 'rollback', release, '1');
        await rolled('dataplane');
        await readyPods(kubectl, 'dataplane', 2);
        expect(await running()).toEqual({ controller: ['dev'], dataplane: ['previous'] });
        await editIsServed();
      },
      brief,
    );
  });

  it('a rollback leads back to the previous release', async () => {
    await noneFails(
      'the controllers are rolled back',
      load,
      async () => {
        await paused('controller', false);
        await all();
        expect(await running()).toEqual({ controller: ['previous'], dataplane: ['previous'] });
        await editIsServed();
      },
      brief,
    );
  });

  it('an upgrade as the guide has it costs no request', async () => {
    await noneFails('an upgrade from the previous release', load, async () => {
      await upgradeCrds();
      await installVersion(cluster, current, '--wait');
      await all();
      await editIsServed();
    });
  });
});
