import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helmProgram } from '../../cluster/binaries.ts';
import { run } from '../../cluster/execute.ts';
import { kubeconfig } from '../../cluster/kubeconfig.ts';
import { versions } from '../../cluster/versions.ts';
import { type Fleet, namespace } from './fleet.ts';

const chart = join(import.meta.dirname, '../../../charts/gatehouse');
const account = 'gatehouse-controller';

type Role = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
};

/** Something that may be done, e.g. "list" on "routes" of "gatehouse.dev". */
export type Right = { verb: string; resource: string; group: string };

export interface Rights {
  /** The rights of the chart's controller and no others. */
  kubeconfig: string;
  /** Takes one away, wherever the chart grants it. */
  revoke(right: Right): Promise<void>;
  /** Grants again what the chart grants. */
  restore(): Promise<void>;
}

/** Gives a fleet the ServiceAccount and the roles of the chart. */
export async function chartRights({ controlPlane, kubectl, folder }: Fleet): Promise<Rights> {
  const rendered = await run(await helmProgram(), [
    ...['template', 'gatehouse', chart, '--namespace', namespace],
    ...['--kube-version', versions.kubernetes],
    ...['account', 'rbac'].flatMap((name) => ['-s', `templates/controller/${name}.yaml`]),
  ]);
  const restore = async () => {
    await kubectl.apply(rendered);
  };
  await restore();
  const token = await kubectl('create', 'token', account, '--duration=2h');
  const file = join(folder, 'controller.kubeconfig');
  const { server, authority } = controlPlane;
  const text = kubeconfig(server, authority.certificate, { token: token.trim() });
  await writeFile(file, text, { mode: 0o600 });
  return {
    kubeconfig: file,
    restore,
    async revoke({ verb, resource, group }) {
      const labels = 'app.kubernetes.io/instance=gatehouse';
      const { items } = await kubectl.get<{ items: Role[] }>('roles,clusterroles', '-l', labels);
      const grants = (rule: Role['rules'][number]) =>
        rule.apiGroups.includes(group) &&
        rule.resources.includes(resource) &&
        rule.verbs.includes(verb);
      const changed = items.filter(({ rules }) => rules.some(grants));
      if (changed.length === 0) throw new Error(`The chart does not grant "${verb} ${resource}"`);
      for (const role of changed) {
        const rules = role.rules
          .map((rule) =>
            grants(rule) ? { ...rule, verbs: rule.verbs.filter((each) => each !== verb) } : rule,
          )
          .filter(({ verbs }) => verbs.length > 0);
        const path = role.metadata.namespace === undefined ? 'clusterrole' : 'role';
        const patch = JSON.stringify({ rules });
        await kubectl('patch', path, role.metadata.name, '--type=merge', '--patch', patch);
      }
    },
  };
}
