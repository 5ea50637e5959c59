import { beforeAll, describe, expect, it } from 'vitest';
import { backendObjects } from '../../src/backend.ts';
import { request } from '../../src/request.ts';
import { condition, program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { kubectl, domain } = suite('first-route');
const host = `shop.${domain}`;

beforeAll(async () => {
  await kubectl.apply(await backendObjects({ name: 'echo', version: 'v1' }));
  await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
});

describe('a Route', () => {
  it('reaches the pods of a Service once it is Programmed', async () => {
    await program(kubectl, route('shop', host, { backends: [{ name: 'echo', port: 80 }] }));
    expect(await request(`http://${host}/`)).toEqual({ status: 200, body: 'v1' });
    const pods = new Set<string>();
    for (let i = 0; i < 20; i++) pods.add((await request(`http://${host}/?pod`)).body);
    expect(pods.size).toBe(2);
  });

  it('reaches them through an Upstream, which has a status too', async () => {
    await kubectl.apply({
      apiVersion: 'gatehouse.dev/v1alpha1',
      kind: 'Upstream',
      metadata: { name: 'echo' },
      spec: { endpoints: { service: { name: 'echo', port: 80 } }, connectTimeout: '2s' },
    });
    const backends = [{ kind: 'Upstream', name: 'echo' }];
    await program(kubectl, route('upstream', `upstream.${domain}`, { backends }));
    await kubectl('wait', 'upstream/echo', '--for=condition=Programmed', '--timeout=30s');
    expect(await request(`http://upstream.${domain}/`)).toEqual({ status: 200, body: 'v1' });
  });

  it('says in its status by how many data planes', async () => {
    const { message } = await condition(kubectl, 'shop', 'Programmed', () => true);
    expect(message).toBe('acknowledged by 2 of 2 data planes');
  });

  it('shows hosts and conditions in kubectl get', async () => {
    const [header = '', row = ''] = (await kubectl('get', 'routes.gatehouse.dev')).split('\n');
    expect(header.split(/\s+/)).toEqual(['NAME', 'HOSTNAMES', 'ACCEPTED', 'PROGRAMMED', 'AGE']);
    expect(row.split(/\s+/).slice(0, 4)).toEqual(['shop', `["${host}"]`, 'True', 'True']);
  });

  it('is gone soon after it is deleted', async () => {
    await program(
      kubectl,
      route('short', `short.${domain}`, { respond: { status: 200, body: 'x' } }),
    );
    expect((await request(`http://short.${domain}/`)).status).toBe(200);
    await kubectl('delete', 'routes.gatehouse.dev', 'short');
    await expect.poll(async () => (await request(`http://short.${domain}/`)).status).toBe(404);
  });

  it('names a Service that is not there, and serves when it comes', async () => {
    const late = route('late', `late.${domain}`, { backends: [{ name: 'late', port: 80 }] });
    await kubectl.apply(late);
    const { status, message } = await condition(
      kubectl,
      'late',
      'ResolvedRefs',
      (each) => each.status === 'False',
    );
    expect(status).toBe('False');
    expect(message).toMatch(/spec\.rules\[0\]\.backends\[0\].*late/);
    await kubectl.apply(await backendObjects({ name: 'late', version: 'here', replicas: 1 }));
    await expect
      .poll(() => request(`http://late.${domain}/`), { timeout: 30_000 })
      .toEqual({ status: 200, body: 'here' });
    await condition(kubectl, 'late', 'ResolvedRefs', (each) => each.status === 'True');
  });
});
