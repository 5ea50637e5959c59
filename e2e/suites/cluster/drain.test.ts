import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { type Outcome, openConnection } from '../../load/connection.ts';
import { backendObjects } from '../../src/backend.ts';
import { figure, secondsSince } from '../../src/figures.ts';
import { httpPort, namespace } from '../../src/gatehouse.ts';
import { type Pod, podsOf, readyPods } from '../../src/pods.ts';
import { forwardPort, type PortForward } from '../../src/port-forward.ts';
import { request } from '../../src/request.ts';
import { program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl, domain } = suite('drain');
const host = `shop.${domain}`;
/** Milliseconds: as the chart sets it, and longer than that by what a request needs. */
const drainDelay = 5000;
const slowly = drainDelay + 4000;

beforeAll(async () => {
  await kubectl.apply(
    await backendObjects({ name: 'echo', version: 'v1', replicas: 3, lingerMs: 8000 }),
  );
  await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
  await program(kubectl, route('shop', host, { backends: [{ name: 'echo', port: 80 }] }));
});

/** A connection on which one request after the other can be sent and judged. */
function connection(port: number) {
  const opened = openConnection('127.0.0.1', port, 30_000);
  return {
    ...opened,
    ask: (path: string) =>
      new Promise<Outcome>((resolve) => {
        opened.send(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`, resolve);
      }),
  };
}

const answer = (body: string, keepAlive: boolean) => ({
  response: { status: 200, body, keepAlive },
});
const isGone = async (pod: Pod) => {
  const { code } = await kubectl
    .in(namespace)
    .attempt('get', 'pod', pod.metadata.name, '--output=name');
  return code !== 0;
};

describe('a data plane that is deleted', () => {
  let forward: PortForward | undefined;
  let admin: PortForward | undefined;
  afterAll(async () => {
    await forward?.close();
    await admin?.close();
  });

  it('is not ready any more, asks clients to leave, finishes what runs, and ends in time', async () => {
    const [pod] = await readyPods(kubectl, 'dataplane', 2);
    const { name } = pod!.metadata;
    forward = await forwardPort(cluster, { namespace, pod: name, port: 8080 });
    admin = await forwardPort(cluster, { namespace, pod: name, port: 9901 });
    const { port } = forward;
    const idle = connection(port);
    expect(await idle.ask('/')).toEqual(answer('v1', true));
    expect(await request('http://admin/ready', admin.port)).toMatchObject({ status: 200 });
    const slow = connection(port).ask(`/?delay=${slowly}`);

    const began = performance.now();
    await kubectl.in(namespace)('delete', 'pod', name, '--wait=false');
    await waitFor(
      'the end of its readiness',
      async () => (await request('http://admin/ready', admin!.port)).status === 503,
    );
    // Whoever has not noticed yet is served, and told to go elsewhere.
    expect(await idle.ask('/')).toEqual(answer('v1', false));
    expect(await connection(port).ask('/')).toEqual(answer('v1', false));
    await waitFor('its end as an endpoint', async () => !(await isReadyEndpoint(name)));
    expect(await slow).toEqual(answer('v1', false));
    await waitFor('its end', () => isGone(pod!));
    const value = secondsSince(began);
    const most = pod!.spec.terminationGracePeriodSeconds;
    figure({ name: 'a data plane ends after it was deleted', value, unit: 's', most });
    // Kubernetes would have killed it then.
    expect(value).toBeLessThan(most);
    await readyPods(kubectl, 'dataplane', 2);
  });

  async function isReadyEndpoint(pod: string): Promise<boolean> {
    type Slices = {
      items: { endpoints?: { targetRef: { name: string }; conditions: { ready: boolean } }[] }[];
    };
    const labels = 'kubernetes.io/service-name=gatehouse-dataplane';
    const { items } = await kubectl.in(namespace).get<Slices>('endpointslices', '-l', labels);
    return items.some(({ endpoints = [] }) =>
      endpoints.some(({ targetRef, conditions }) => targetRef.name === pod && conditions.ready),
    );
  }
});

describe('a pod of a backend that is deleted', () => {
  it('gets no new requests, and finishes those that it has', async () => {
    const slow = Array.from({ length: 12 }, () => connection(httpPort).ask('/?pod&delay=6000'));
    const names = async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => request(`http://${host}/?pod`)),
      );
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      return new Set(answers.map(({ body }) => body));
    };
    const [victim = ''] = [...(await names())];
    await kubectl('delete', 'pod', victim, '--wait=false');
    // It serves on for 8 s, so that only the gateway decides that it is not asked.
    await waitFor('the end of its requests', async () => !(await names()).has(victim), {
      timeout: 7000,
    });
    expect((await names()).has(victim)).toBe(false);
    const outcomes = await Promise.all(slow);
    const bodies = outcomes.map((outcome) =>
      'response' in outcome ? outcome.response.body : outcome.reason,
    );
    expect(bodies.filter((body) => !body.startsWith('echo-'))).toEqual([]);
    expect(bodies).toContain(victim);
  });
});

describe('the disruption budget of the data planes', () => {
  it('lets one of two be evicted, and the other one when that is replaced', async () => {
    const [first, second] = await readyPods(kubectl, 'dataplane', 2);
    expect(await evict(first!)).toMatchObject({ code: 0 });
    const refused = await evict(second!);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("would violate the pod's disruption budget");
    await waitFor('the replacement', async () =>
      (await podsOf(kubectl, 'dataplane')).every(
        ({ metadata }) => metadata.uid !== first!.metadata.uid,
      ),
    );
    await readyPods(kubectl, 'dataplane', 2);
    await waitFor('its turn', async () => (await evict(second!)).code === 0);
    await waitFor('its end', () => isGone(second!));
    await readyPods(kubectl, 'dataplane', 2);
  });

  function evict({ metadata: { name } }: Pod) {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
    return kubectl.attemptWith(JSON.stringify(eviction), 'create', '--raw', path, '-f', '-');
  }
});
