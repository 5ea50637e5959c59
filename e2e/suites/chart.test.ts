import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { find, gatewayApi, type Manifest, render } from '../../charts/render.ts';
import { cases } from '../../charts/tests/cases.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { installGatewayApi } from '../src/gateway-api.ts';
import { type Kubectl, kubectlOf } from '../src/kubectl.ts';

const namespace = 'gatehouse-system';
/** Of operators that are not installed here. */
const foreign = ['cert-manager.io/v1', 'monitoring.coreos.com/v1'];

let controlPlane: ControlPlane;
let kubectl: Kubectl;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  kubectl = kubectlOf(controlPlane);
  await installGatewayApi(kubectl);
  await kubectl.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  });
  await kubectl('create', 'namespace', 'shop');
});
afterAll(() => controlPlane?.stop());

const accepted = async (objects: readonly Manifest[]) => {
  const own = objects.filter(({ apiVersion }) => !foreign.includes(apiVersion));
  // Strict validation refuses fields that the API server does not know.
  const { code, stderr } = await kubectl.attemptApply(own, '--dry-run=server', '--validate=strict');
  expect(stderr.replaceAll(/^Warning: .*\n/gm, '')).toBe('');
  expect(code).toBe(0);
  return stderr;
};

describe('the API server', () => {
  it.each(Object.entries(cases))('accepts what the chart renders for %s', async (_, options) => {
    await accepted(await render({ ...options, apis: [gatewayApi] }));
  });

  it('finds nothing to warn of in the default, in a namespace that is "restricted"', async () => {
    expect(await accepted(await render({ apis: [gatewayApi] }))).toBe('');
  });

  it('takes autoscaling, disruption budgets and spreading as they are meant', async () => {
    const objects = await render({ values: { dataPlane: { autoscaling: { enabled: true } } } });
    await kubectl.apply(
      objects.filter(({ kind }) =>
        ['Deployment', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'].includes(kind),
      ),
    );
    const name = find(objects, 'HorizontalPodAutoscaler', 'gatehouse-dataplane').metadata.name;
    type Scaler = { spec: { minReplicas: number; maxReplicas: number; metrics: object[] } };
    const { spec } = await kubectl.in(namespace).get<Scaler>('hpa', name);
    expect(spec).toMatchObject({ minReplicas: 2, maxReplicas: 10 });
    expect(spec.metrics).toEqual([
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
      },
    ]);
    type Budgets = { items: { metadata: { name: string }; spec: object }[] };
    const budgets = await kubectl.in(namespace).get<Budgets>('pdb');
    expect(budgets.items.map(({ metadata }) => metadata.name)).toEqual([
      'gatehouse-controller',
      'gatehouse-dataplane',
    ]);
    for (const budget of budgets.items) {
      expect(budget.spec).toMatchObject({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      });
    }
    type Deployment = {
      spec: { template: { spec: { topologySpreadConstraints: { topologyKey: string }[] } } };
    };
    const deployment = await kubectl.in(namespace).get<Deployment>('deployment', name);
    const constraints = deployment.spec.template.spec.topologySpreadConstraints;
    expect(constraints.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    expect(constraints[0]).toMatchObject({ matchLabelKeys: ['pod-template-hash'] });
  });
});
