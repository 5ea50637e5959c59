import { join } from 'node:path';
import { validateObject } from '@gatehouse/crds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type Kubectl, kubectlOf } from '../src/kubectl.ts';
import { bad, good, rules } from './crd-cases.ts';

const crds = join(import.meta.dirname, '../../charts/gatehouse/crds');

let controlPlane: ControlPlane;
let kubectl: Kubectl;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  kubectl = kubectlOf(controlPlane);
  await kubectl('apply', '--server-side', '--filename', crds);
  await kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
}, 1_800_000);

afterAll(() => controlPlane?.stop());

describe('the CRDs', () => {
  it('are structural and have names that nobody else has', async () => {
    const { items } = await kubectl.get<{ items: Crd[] }>('crds');
    expect(items.map((crd) => crd.metadata.name).sort()).toEqual(
      expect.arrayContaining(['routes.gatehouse.dev', 'upstreams.gatehouse.dev']),
    );
    for (const { metadata, status } of items) {
      const states = status.conditions.map(({ type, status }) => `${type}=${status}`).sort();
      expect(states, metadata.name).toEqual(['Established=True', 'NamesAccepted=True']);
    }
  });

  it('can be applied again without a change', async () => {
    const before = await versionsOf();
    await kubectl('apply', '--server-side', '--filename', crds);
    expect(await versionsOf()).toEqual(before);
  });

  async function versionsOf() {
    const { items } = await kubectl.get<{ items: Crd[] }>('crds');
    return items.map(({ metadata }) => [metadata.name, metadata.generation]);
  }
});

describe('kubectl explain', () => {
  const explain = (path: string) =>
    // The API server publishes a schema a moment after it has accepted it.
    waitFor(`the schema of ${path}`, () => kubectl('explain', path), { timeout: 20_000 });

  it.each([
    ['routes', /Which requests go where/],
    ['route.spec.rules', /Their order has no meaning: the most specific match wins/],
    ['route.spec.rules.backends.weight', /Share of the requests/],
    ['route.status.conditions', /Programmed: every data plane serves it/],
    ['upstream.spec.endpoints', /Where the endpoints come from/],
  ])('%s', async (path, expected) => {
    expect(await explain(path)).toMatch(expected);
  });

  it.each([
    'route',
    'route.spec',
    'route.spec.parentRefs',
    'route.spec.rules',
    'route.spec.rules.matches',
    'route.spec.rules.backends',
    'route.status.parents',
    'upstream.spec',
    'upstream.spec.endpoints.static',
  ])('says something about every field of %s', async (path) => {
    const text = await explain(path);
    expect(text).toMatch(/FIELDS:/);
    expect(text).not.toContain('<no description>');
  });
});

describe('the API server', () => {
  it.each(good)('accepts %s, as the validation of ours does', async (_, object) => {
    expect(validateObject(object)).toEqual({ object });
    const { code, stderr } = await dryRun(object);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it.each(bad)('refuses %s, as the validation of ours does', async (_, object, message) => {
    expect(validateObject(object)).toHaveProperty('problems');
    const { code, stderr } = await dryRun(object);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  /** By strict validation, which kubectl asks for. */
  function dryRun(object: object) {
    return kubectl.attemptApply(object, '--dry-run=server');
  }
});

describe('kubectl get', () => {
  it('shows hosts, conditions and age', async () => {
    const { spec, ...fields } = rules({ name: 'all', respond: { status: 200 } });
    const hostnames = ['shop.example.com', '*.example.com'];
    await kubectl.apply({ ...fields, metadata: { name: 'shown' }, spec: { ...spec, hostnames } });
    const condition = (type: string, status: string) => ({
      type,
      status,
      reason: 'Because',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    const status = {
      conditions: [condition('Accepted', 'True'), condition('Programmed', 'False')],
    };
    const patch = JSON.stringify({ status });
    await kubectl('patch', 'route', 'shown', '--subresource=status', '--type=merge', '-p', patch);
    const [header = '', row = ''] = (await kubectl('get', 'routes')).split('\n');
    expect(header.split(/\s+/)).toEqual(['NAME', 'HOSTNAMES', 'ACCEPTED', 'PROGRAMMED', 'AGE']);
    expect(row.split(/\s+/).slice(0, 4)).toEqual([
      'shown',
      '["shop.example.com","*.example.com"]',
      'True',
      'False',
    ]);
  });
});

type Crd = {
  metadata: { name: string; generation: number };
  status: { conditions: { type: string; status: string }[] };
};
