import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kubeconfig } from '../../cluster/kubeconfig.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { type ApiProxy, startApiProxy } from '../../src/api-proxy.ts';
import { requestsOf } from '../../src/audit.ts';
import { figure, secondsSince } from '../../src/figures.ts';
import { answering, type Fleet, line, startFleet } from './fleet.ts';
import type { Replica } from './replica.ts';

const host = 'shop.example.com';
let fleet: Fleet;
let edits = 0;

beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet?.stop());

/** Edits the Route and waits until that is served, and said so. */
async function serves(): Promise<void> {
  await edit();
  await fleet.answers(host, `edit ${edits}`);
  await fleet.kubectl('wait', 'route/shop', '--for=condition=Programmed', '--timeout=60s');
}

async function edit(): Promise<void> {
  edits += 1;
  await fleet.kubectl.apply(answering('shop', host, `edit ${edits}`));
}

describe('an API server behind a proxy', () => {
  let proxy: ApiProxy;
  const asked = (from: number, what: RegExp) =>
    proxy.seen.slice(from).filter((one) => what.test(one));
  const ofRoutes = /^GET \/apis\/gatehouse\.dev\/v1alpha1\/routes\?/;

  beforeAll(async () => {
    const { authority, server } = fleet.controlPlane;
    proxy = await startApiProxy(server, authority);
    const file = join(fleet.folder, 'proxied.kubeconfig');
    const text = kubeconfig(proxy.url, authority.certificate, { token: 'the-proxy-has-another' });
    await writeFile(file, text);
    await fleet.startController({ kubeconfig: file });
    await serves();
  });
  afterEach(() => {
    proxy.fault = () => undefined;
  });
  afterAll(() => proxy?.close());

  it('that cuts every watch is watched again from where they ended', async () => {
    const from = proxy.seen.length;
    for (let i = 0; i < 5; i++) {
      proxy.cut();
      await serves();
    }
    expect(asked(from, /\/routes\?.*watch=/).length).toBeGreaterThanOrEqual(5);
    // Nothing is listed anew: what happened meanwhile is asked for.
    expect(asked(from, ofRoutes).filter((one) => !one.includes('watch='))).toEqual([]);
  });

  it.each([410, 429, 500, 503])(
    'that answers %i takes nothing away, and is followed as soon as it answers well',
    async (status) => {
      const from = proxy.seen.length;
      const before = edits;
      proxy.fault = (method) =>
        method === 'GET' ? { status, ...(status === 429 && { retryAfter: 1 }) } : undefined;
      proxy.cut();
      await edit();
      await waitFor('three refusals', () => asked(from, ofRoutes).length >= 3);
      expect(await fleet.ask(host)).toBe(`edit ${before}`);
      proxy.fault = () => undefined;
      await fleet.answers(host, `edit ${edits}`);
      await serves();
    },
  );

  it('that refuses writes gets the statuses when it takes them again', async () => {
    const from = proxy.seen.length;
    proxy.fault = (method) => (method === 'PATCH' ? { status: 500 } : undefined);
    await edit();
    await fleet.answers(host, `edit ${edits}`);
    await waitFor(
      'a refused status',
      () => asked(from, /PATCH .*\/routes\/shop\/status/).length > 0,
    );
    proxy.fault = () => undefined;
    await fleet.kubectl('wait', 'route/shop', '--for=condition=Programmed', '--timeout=60s');
  });
});

describe('an API server', () => {
  let controller: Replica;
  beforeAll(async () => {
    controller = await fleet.startController();
    await serves();
  });

  it('that is killed takes nothing away, and is found again when it is back', async () => {
    await fleet.controlPlane.api.kill();
    await line(controller.log, 'what was read before stays in use');
    expect(await fleet.ask(host)).toBe(`edit ${edits}`);
    await fleet.controlPlane.api.restart();
    const began = performance.now();
    await serves();
    const value = secondsSince(began);
    figure({ name: 'Route edit served after a restart of the API server', value, unit: 's' });
  });

  it('that has forgotten what happened (410) is listed anew', async () => {
    const { api, etcd, auditLog } = fleet.controlPlane;
    const before = (await requestsOf({ auditLog }, 'admin')).length;
    await api.kill();
    await forget(etcd);
    await api.restart();
    await serves();
    const requests = (await requestsOf({ auditLog }, 'admin'))
      .slice(before)
      .filter(({ userAgent }) => userAgent === 'gatehouse-controller')
      .map(
        ({ verb, objectRef, responseStatus }) =>
          `${verb} ${objectRef?.resource} ${responseStatus?.code}`,
      );
    // It says so within a watch that it answers with 200.
    const watched = requests.indexOf('watch routes 200');
    expect(watched).toBeGreaterThanOrEqual(0);
    expect(requests.slice(watched)).toContain('list routes 200');
  });
});

/** Writes beside Kubernetes, so that versions go on, and compacts everything before. */
async function forget(etcd: string): Promise<void> {
  const call = async (path: string, body: object) => {
    const answer = await fetch(`${etcd}/v3/kv/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`Cannot ${path}: etcd answers ${await answer.text()}`);
    return (await answer.json()) as { header: { revision: string } };
  };
  let revision = '0';
  for (let i = 0; i < 20; i++) {
    const value = { key: btoa('gatehouse-e2e'), value: btoa(String(i)) };
    ({ revision } = (await call('put', value)).header);
  }
  await call('compaction', { revision, physical: true });
}
