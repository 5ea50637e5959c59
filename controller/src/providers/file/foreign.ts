import { group, kinds, nearest, type Problem } from '@gatehouse/crds';

/** API groups that people keep beside their routes and that are not for Gatehouse; "" is the core. */
const wellKnownGroups = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apps',
  'argoproj.io',
  'autoscaling',
  'batch',
  'cert-manager.io',
  'coordination.k8s.io',
  'kustomize.config.k8s.io',
  'monitoring.coreos.com',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** Kinds of groups that Gatehouse reads from, which mean nothing outside a cluster. */
const skippedKinds = new Set(['gateway.networking.k8s.io/GatewayClass']);

/** Files that are no objects although their names end like it. */
const skippedFiles = /(^|\/)(kustomization\.ya?ml|package(-lock)?\.json|tsconfig\.json)$/;

export function isForeignFile(file: string): boolean {
  return skippedFiles.test(file);
}

/**
 * Judges an object of a kind that Gatehouse does not read: undefined when it plainly belongs to
 * somebody else, a problem when it may be a slip of the pen.
 */
export function foreignProblem(apiVersion: unknown, kind: string): Problem | undefined {
  const known = Object.keys(kinds);
  if (typeof apiVersion !== 'string') {
    return { path: ['apiVersion'], message: `expected a text such as "${group}/v1alpha1"` };
  }
  const slash = apiVersion.indexOf('/');
  const groupName = slash < 0 ? '' : apiVersion.slice(0, slash);
  const close = nearest(kind, known);
  if (close === undefined) {
    if (skippedKinds.has(`${groupName}/${kind}`)) return undefined;
    if (wellKnownGroups.has(groupName) && (slash >= 0 || /^v\d/.test(apiVersion))) return undefined;
  }
  const hint = close === undefined ? '' : `; did you mean "${close}"?`;
  const shown = JSON.stringify(kind.slice(0, 64));
  const message = `Gatehouse reads no ${shown} of ${JSON.stringify(apiVersion.slice(0, 64))}`;
  return { path: ['kind'], message: `${message}${hint || `, only ${known.join(', ')}`}` };
}
