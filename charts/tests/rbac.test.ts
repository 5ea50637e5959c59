import { ownKinds } from '@gatehouse/crds';
import { expect, test } from 'vitest';
import { type Manifest, render } from '../render.ts';

type Rule = { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] };

/** "kind role: verb resource.group [names]", a line for everything that a role grants. */
function grants(objects: readonly Manifest[]): string[] {
  return objects.flatMap(({ kind, metadata, rules }) =>
    ((rules ?? []) as Rule[]).flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
      apiGroups.flatMap((group) =>
        resources.map((resource) => {
          const what = group === '' ? resource : `${resource}.${group}`;
          const names = resourceNames === undefined ? '' : ` ${resourceNames.join(' ')}`;
          return `${kind} ${metadata.name}: ${verbs.join(' ')} ${what}${names}`;
        }),
      ),
    ),
  );
}

/** "role in namespace", "role everywhere". */
function bindings(objects: readonly Manifest[]): string[] {
  return objects
    .filter(({ kind }) => kind.endsWith('RoleBinding') || kind === 'ClusterRoleBinding')
    .map(({ metadata, roleRef }) => {
      const { name } = roleRef as { name: string };
      return `${name} ${metadata.namespace === undefined ? 'everywhere' : `in ${metadata.namespace}`}`;
    })
    .sort();
}

const role = 'gatehouse-controller-gatehouse-system';

test('the controller may do exactly this', async () => {
  const objects = await render();
  expect(grants(objects).sort()).toEqual(
    [
      ...ownKinds.flatMap(({ plural }) => [
        `ClusterRole ${role}: list watch ${plural}.gatehouse.dev`,
        `ClusterRole ${role}: patch ${plural}/status.gatehouse.dev`,
      ]),
      `ClusterRole ${role}: list watch gateways.gateway.networking.k8s.io`,
      `ClusterRole ${role}: list watch referencegrants.gateway.networking.k8s.io`,
      `ClusterRole ${role}: patch gateways/status.gateway.networking.k8s.io`,
      `ClusterRole ${role}: list watch services`,
      `ClusterRole ${role}: list watch endpointslices.discovery.k8s.io`,
      `ClusterRole ${role}-secrets: list watch secrets`,
      `ClusterRole ${role}-cluster: list watch namespaces`,
      `ClusterRole ${role}-cluster: list watch gatewayclasses.gateway.networking.k8s.io`,
      `ClusterRole ${role}-cluster: patch gatewayclasses/status.gateway.networking.k8s.io`,
      `ClusterRole ${role}-cluster: create tokenreviews.authentication.k8s.io`,
      'Role gatehouse-controller: get list watch create update patch leases.coordination.k8s.io',
      'Role gatehouse-controller: list watch patch secrets gatehouse-controller-tls',
      'Role gatehouse-controller: list watch patch configmaps gatehouse-controller-ca',
    ].sort(),
  );
  expect(bindings(objects)).toEqual([
    'gatehouse-controller in gatehouse-system',
    `${role} everywhere`,
    `${role}-cluster everywhere`,
    `${role}-secrets everywhere`,
  ]);
});

test('nobody but the controller is granted anything', async () => {
  const objects = await render();
  const subjects = objects.flatMap(({ subjects: list }) => (list ?? []) as { name: string }[]);
  expect(new Set(subjects.map(({ name }) => name))).toEqual(new Set(['gatehouse-controller']));
});

test('with watchNamespaces what has a namespace is granted there only', async () => {
  const values = {
    watchNamespaces: ['shop', 'gatehouse-system'],
    rbac: { secrets: { namespaces: ['shop'], names: ['shop-tls'] } },
  };
  const objects = await render({ values });
  expect(bindings(objects)).toEqual([
    'gatehouse-controller in gatehouse-system',
    `${role} in gatehouse-system`,
    `${role} in shop`,
    `${role}-cluster everywhere`,
    `${role}-secrets in shop`,
  ]);
  expect(grants(objects)).toContain(`ClusterRole ${role}-secrets: list watch secrets shop-tls`);
});

test.each([
  ['cert-manager', { certManager: { enabled: true } }],
  ['a Secret that is there', { existingSecret: 'mine' }],
])('with %s the controller may write no Secret', async (_, tls) => {
  const objects = await render({ values: { controller: { tls } } });
  expect(grants(objects).filter((grant) => /patch (secrets|configmaps)/.test(grant))).toEqual([]);
});
