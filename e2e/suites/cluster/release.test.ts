import { describe, expect, it } from 'vitest';
import { helm, installGatehouse, namespace, release } from '../../src/gatehouse.ts';
import { readyPods } from '../../src/pods.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl } = suite('release');

describe('the release', () => {
  it('passes its own test', async () => {
    const text = await helm(cluster, 'test', release, '--timeout', '2m');
    expect(text).toMatch(/Phase:\s+Succeeded/);
  });

  it('says where requests go', async () => {
    const notes = await helm(cluster, 'get', 'notes', release);
    const command = /^ {2}kubectl (-n .* get service .*)$/m.exec(notes)?.[1] ?? '';
    const [, path = ''] = /jsonpath='(.*)'/.exec(command) ?? [];
    const args = command.replace(/ -o jsonpath=.*/, '').split(' ');
    expect(await kubectl(...args, `--output=jsonpath=${path}`)).toBe('30080');
  });

  it('can be scaled by a HorizontalPodAutoscaler, which then says how many data planes run', async () => {
    const enable = ['--set', 'dataPlane.autoscaling.enabled=true'];
    await installGatehouse(cluster, ...enable, '--set', 'dataPlane.autoscaling.minReplicas=3');
    await readyPods(kubectl, 'dataplane', 3);
    // An upgrade does not take back what the autoscaler has decided.
    await installGatehouse(cluster, ...enable, '--set', 'dataPlane.autoscaling.minReplicas=2');
    await readyPods(kubectl, 'dataplane', 3);
    await installGatehouse(cluster);
    await readyPods(kubectl, 'dataplane', 2);
    expect(await kubectl.in(namespace)('get', 'hpa', '--output=name')).toBe('');
  });
});
