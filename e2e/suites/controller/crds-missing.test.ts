import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installGatewayApi } from '../../src/gateway-api.ts';
import { answering, type Fleet, gatewayOf, installCrds, line, startFleet } from './fleet.ts';

describe('a cluster without CRDs', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({ withoutCrds: true });
  });
  afterAll(() => fleet?.stop());

  it('is told by the controller, which serves Routes as soon as they can be', async () => {
    const { kubectl } = fleet;
    const { log } = await fleet.startController();
    for (const kind of ['Route', 'Upstream']) {
      await line(log, `the cluster does not serve gatehouse.dev/v1alpha1 ${kind}; install its CRD`);
    }
    await line(log, 'the cluster does not serve gateway.networking.k8s.io/v1 Gateway');
    await installCrds(kubectl);
    await kubectl.apply(answering('late', 'late.example.com', 'here'));
    await fleet.answers('late.example.com', 'here');
    await kubectl('wait', 'route/late', '--for=condition=Programmed', '--timeout=30s');
    await line(log, 'routes.gatehouse.dev can be read');
  });

  it('gets its Gateways when the Gateway API comes', async () => {
    const { kubectl } = fleet;
    await installGatewayApi(kubectl);
    await kubectl.apply(gatewayOf('main', 18_080));
    // Its class is not there yet: what is served stays.
    expect(await fleet.ask('late.example.com')).toBe('here');
  });
});

describe('CRDs of another version', () => {
  let fleet: Fleet;
  const host = 'kept.example.com';
  beforeAll(async () => {
    fleet = await startFleet();
    await fleet.startController();
    await fleet.kubectl.apply(answering('kept', host, 'one'));
    await fleet.answers(host, 'one');
  });
  afterAll(() => fleet?.stop());

  it('are named, what is programmed stays, and goes on when ours are back', async () => {
    const { kubectl } = fleet;
    const { log } = await fleet.startController();
    await kubectl('wait', 'route/kept', '--for=condition=Programmed', '--timeout=30s');
    await serveVersion('v1beta1');
    await line(log, 'the cluster does not serve gatehouse.dev/v1alpha1 Route');
    expect(await fleet.ask(host)).toBe('one');
    const from = log.length;
    await installCrds(kubectl);
    await line(log, 'routes.gatehouse.dev can be read', from);
    await kubectl.apply(answering('kept', host, 'two'));
    await fleet.answers(host, 'two');
  });

  it('take nothing away from data planes when the controller is restarted', async () => {
    await serveVersion('v1beta1');
    const { log } = await fleet.startController();
    await line(log, 'does not serve gatehouse.dev/v1alpha1 Route, only v1beta1; install the CRD');
    expect(await fleet.ask(host)).toBe('two');
    await installCrds(fleet.kubectl);
    await fleet.kubectl.apply(answering('kept', host, 'three'));
    await fleet.answers(host, 'three');
  });

  /** Routes are served as another version only, as if the CRD were that of another release. */
  async function serveVersion(name: string): Promise<void> {
    type Crd = { spec: { versions: { name: string; served: boolean; storage: boolean }[] } };
    const crd = await fleet.kubectl.get<Crd>('crd', 'routes.gatehouse.dev');
    const [ours] = crd.spec.versions.filter((each) => each.name === 'v1alpha1');
    crd.spec.versions = [
      { ...ours!, served: false, storage: true },
      { ...ours!, name, served: true, storage: false },
    ];
    const body = { spec: { versions: crd.spec.versions } };
    await fleet.kubectl(
      ...['patch', 'crd', 'routes.gatehouse.dev', '--type=merge', '--patch', JSON.stringify(body)],
    );
  }
});
