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

test('the controller has its key and not that of the authority', async () => {
  const { volumes } = podOf(await render(), controller);
  expect(volumes).toEqual([
    {
      name: 'tls',
      secret: {
        secretName: 'gatehouse-controller-tls',
        defaultMode: 0o440,
        items: [
          { key: 'tls.crt', path: 'tls.crt' },
          { key: 'tls.key', path: 'tls.key' },
        ],
      },
    },
  ]);
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
