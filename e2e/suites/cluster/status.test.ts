import { describe, expect, it } from 'vitest';
import { figure, secondsSince } from '../../src/figures.ts';
import { namespace, release } from '../../src/gatehouse.ts';
import { podsOf, readyPods, signalPod } from '../../src/pods.ts';
import { request } from '../../src/request.ts';
import { condition, program, programmed, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl, domain } = suite('status');

const answering = (name: string, body: string) =>
  route(name, `${name}.${domain}`, { respond: { status: 200, body } });

describe('Programmed', () => {
  it('is never True while a data plane gives the old answer', async () => {
    for (let edit = 1; edit <= 20; edit++) {
      await program(kubectl, answering('edited', `edit ${edit}`));
      // New connections, so that kube-proxy spreads them over the data planes.
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => request(`http://edited.${domain}/`)),
      );
      expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([`edit ${edit}`]));
    }
  });

  it('names the data plane that it waits for', async () => {
    await program(kubectl, answering('frozen', 'before'));
    const [, pod] = await readyPods(kubectl, 'dataplane', 2);
    await signalPod(cluster, pod!, 'STOP');
    try {
      await kubectl.apply(answering('frozen', 'after'));
      const { message } = await condition(
        kubectl,
        'frozen',
        'Programmed',
        ({ status, message }) => status !== 'True' && message.includes('1 of 2'),
      );
      expect(message).toBe(
        `acknowledged by 1 of 2 data planes (waiting for ${pod!.metadata.name})`,
      );
    } finally {
      await signalPod(cluster, pod!, 'CONT');
    }
    await programmed(kubectl, 'frozen');
    await readyPods(kubectl, 'dataplane', 2);
  });

  it('is False with the path of the mistake for a Route that cannot be', async () => {
    const wrong = route('wrong', `wrong.${domain}`, {
      matches: [{ path: { type: 'Regex', value: '/(' } }],
      respond: { status: 200 },
    });
    await kubectl.apply(wrong);
    const accepted = await condition(kubectl, 'wrong', 'Accepted', () => true);
    expect(accepted.status).toBe('False');
    expect(accepted.message).toContain('spec.rules[0].matches[0].path.value');
    const { status } = await condition(kubectl, 'wrong', 'Programmed', () => true);
    expect(status).toBe('False');
  });
});

describe('statuses', () => {
  it('are written once and not again while nothing changes', async () => {
    await program(kubectl, answering('quiet', 'x'));
    const version = () =>
      kubectl(
        'get',
        'routes.gatehouse.dev',
        'quiet',
        '--output=jsonpath={.metadata.resourceVersion}',
      );
    const before = await version();
    await program(kubectl, answering('noise', 'x'));
    expect(await version()).toBe(before);
  });

  it('survive the loss of the replica that writes them', async () => {
    await program(kubectl, answering('failover', 'before'));
    const leader = await leaderOf();
    await signalPod(cluster, leader, 'STOP');
    const began = performance.now();
    try {
      await kubectl.apply(answering('failover', 'after'));
      await programmed(kubectl, 'failover');
      const value = secondsSince(began);
      figure({ name: 'fail-over from a leader that hangs', value, unit: 's', most: 15 });
      expect(await request(`http://failover.${domain}/`)).toEqual({ status: 200, body: 'after' });
    } finally {
      await signalPod(cluster, leader, 'CONT');
    }
    await readyPods(kubectl, 'controller', 2);
  });

  async function leaderOf() {
    const holder = await kubectl.in(namespace)(
      ...['get', 'lease', `${release}-controller-leader`],
      '--output=jsonpath={.spec.holderIdentity}',
    );
    const pods = await podsOf(kubectl, 'controller');
    const leader = pods.find(({ metadata }) => metadata.name === holder);
    if (leader === undefined) throw new Error(`No controller pod is called "${holder}"`);
    return leader;
  }
});
