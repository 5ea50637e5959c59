import { describe, expect, it } from 'vitest';
import { permissionsOf, requestsOf } from '../../src/audit.ts';
import { namespace, release } from '../../src/gatehouse.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl } = suite('permissions');

const accountOf = (component: string) =>
  `system:serviceaccount:${namespace}:${release}-${component}`;

type Role = {
  kind: string;
  metadata: { name: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
};

/** Runs after the other suites: by then everything that Gatehouse can do has been done. */
describe('the controller', () => {
  it('was forbidden nothing', async () => {
    const refused = (await requestsOf(cluster, accountOf('controller')))
      .filter(({ responseStatus }) => [401, 403].includes(responseStatus?.code ?? 0))
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
    expect([...new Set(refused)]).toEqual([]);
  });

  it('used everything that it is granted', async () => {
    const labels = `app.kubernetes.io/instance=${release}`;
    const { items } = await kubectl
      .in(namespace)
      .get<{ items: Role[] }>('roles,clusterroles', '-l', labels);
    const granted = items.flatMap(({ rules }) =>
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
        ),
      ),
    );
    expect(granted.length).toBeGreaterThan(10);
    const requests = await requestsOf(cluster, accountOf('controller'));
    const used = new Set(requests.flatMap(permissionsOf));
    expect(granted.filter((permission) => !used.has(permission))).toEqual([]);
  });
});

describe('a data plane', () => {
  it('asked the API server for nothing', async () => {
    expect(await requestsOf(cluster, accountOf('dataplane'))).toEqual([]);
  });
});
