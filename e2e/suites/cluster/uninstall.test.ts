import { describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { helm, namespace, release } from '../../src/gatehouse.ts';
import { program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl, domain } = suite('uninstall');

describe('helm uninstall', () => {
  it('leaves nothing but the CRDs, and the Routes of users', async () => {
    await program(kubectl, route('mine', `mine.${domain}`, { respond: { status: 200 } }));
    await helm(cluster, 'uninstall', release, '--wait');
    await waitFor('the end of all objects', async () => (await left()) === '', { timeout: 90_000 });
    expect(await kubectl('get', 'routes.gatehouse.dev', '--output=name')).toContain('mine');
    await kubectl('delete', 'routes.gatehouse.dev', '--all', '--timeout=10s');
    await kubectl('delete', 'namespace', namespace, '--timeout=60s');
  });

  /** Names of all objects of the release, of whatever kind, and of those that its programs made. */
  async function left(): Promise<string> {
    const args = ['api-resources', '--verbs=list', '--output=name'];
    const kinds = async (namespaced: boolean) =>
      (await kubectl(...args, `--namespaced=${namespaced}`)).trim().split('\n').join(',');
    const labels = `app.kubernetes.io/instance=${release}`;
    const names = [
      await kubectl('get', await kinds(false), '-l', labels, '--output=name', '--ignore-not-found'),
      await kubectl.in(namespace)(
        'get',
        await kinds(true),
        '-l',
        labels,
        '--output=name',
        '--ignore-not-found',
      ),
      await kubectl.in(namespace)('get', 'leases,secrets,configmaps', '--output=name'),
    ];
    return names.join('').replace('configmap/kube-root-ca.crt', '').trim();
  }
});
