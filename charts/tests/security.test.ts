import { describe, expect, test } from 'vitest';
import { find, podOf, podsOf, render } from '../render.ts';
import { cases } from './cases.ts';

const controller = 'Deployment gatehouse-controller';
const dataplane = 'Deployment gatehouse-dataplane';

describe.each(Object.entries(cases))('%s', (_, options) => {
  test('every pod fits the pod security standard "restricted"', async () => {
    const pods = podsOf(await render(options));
    expect(pods).toHaveLength(3);
    for (const { spec } of pods) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(Object.keys(container.resources.requests)).toEqual(['cpu', 'memory']);
        expect(Object.keys(container.resources.limits)).toEqual(['memory']);
      }
      for (const field of ['hostNetwork', 'hostPID', 'hostIPC'])
        expect(spec).not.toHaveProperty(field);
    }
  });

  test('every argument is text', async () => {
    for (const { spec } of podsOf(await render(options))) {
      for (const argument of spec.containers[0].args) expect(argument).toBeTypeOf('string');
    }
  });

  test('no secret is in the environment or on a command line', async () => {
    for (const { spec } of podsOf(await render(options))) {
      for (const { env = [], args } of spec.containers) {
        expect(JSON.stringify(env)).not.toMatch(/secretKeyRef|token|password|PRIVATE/i);
        expect(args.join(' ')).not.toMatch(/--token[= ]|password|PRIVATE/i);
      }
    }
  });
});

test('a data plane has no token for the API server, one for the controller, and no key', async () => {
  const spec = podOf(await render(), dataplane);
  expect(spec.automountServiceAccountToken).toBe(false);
  expect(spec.volumes.find(({ name }) => name === 'trust')).toEqual({
    name: 'trust',
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', audience: 'gatehouse', expirationSeconds: 3600 } },
        {
          configMap: {
            name: 'gatehouse-controller-ca',
            items: [{ key: 'ca.crt', path: 'ca.crt' }],
          },
        },
      ],
    },
  });
  expect(JSON.stringify(spec.volumes)).not.toContain('"secret"');
});

const keepTls = ['--tls-secret', '--tls-ca-config-map', '--tls-names'];

test('the controllers keep their certificate in a Secret that comes empty', async () => {
  const objects = await render();
  const secret = find(objects, 'Secret', 'gatehouse-controller-tls');
  const map = find(objects, 'ConfigMap', 'gatehouse-controller-ca');
  for (const object of [secret, map]) expect(object).not.toHaveProperty('data');
  const { volumes, containers } = podOf(objects, controller);
  expect(volumes).toBeUndefined();
  const name = 'gatehouse-controller.gatehouse-system.svc';
  expect(containers[0].args.filter((one) => one.startsWith('--tls'))).toEqual([
    '--tls-secret=gatehouse-controller-tls',
    '--tls-ca-config-map=gatehouse-controller-ca',
    `--tls-names=gatehouse-controller,gatehouse-controller.gatehouse-system,${name},${name}.cluster.local`,
  ]);
});

test.each([
  ['cert-manager', { certManager: { enabled: true } }, 'gatehouse-controller-tls'],
  ['a Secret that is there', { existingSecret: 'mine' }, 'mine'],
])('with %s the controller has its key and not that of the authority', async (_, tls, name) => {
  const objects = await render({ values: { controller: { tls } } });
  const { volumes, containers } = podOf(objects, controller);
  expect(volumes).toEqual([
    {
      name: 'tls',
      secret: {
        secretName: name,
        defaultMode: 0o440,
        items: [
          { key: 'tls.crt', path: 'tls.crt' },
          { key: 'tls.key', path: 'tls.key' },
        ],
      },
    },
  ]);
  const args = containers[0].args.map((one) => one.split('=')[0]);
  expect(args.filter((one) => keepTls.includes(one ?? ''))).toEqual([]);
  expect(objects.filter(({ kind }) => ['Secret', 'ConfigMap'].includes(kind))).toEqual([]);
});

test('only data planes may reach the gRPC port', async () => {
  const policy = find(await render(), 'NetworkPolicy', 'gatehouse-controller');
  const { ingress } = policy.spec as {
    ingress: { ports: { port: string }[]; from: unknown[] }[];
  };
  const rule = ingress.find(({ ports }) => ports.some(({ port }) => port === 'grpc'));
  expect(rule?.from).toEqual([
    {
      podSelector: {
        matchLabels: {
          'app.kubernetes.io/name': 'gatehouse',
          'app.kubernetes.io/instance': 'gatehouse',
          'app.kubernetes.io/component': 'dataplane',
        },
      },
    },
  ]);
});
