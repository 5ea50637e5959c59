import { createFolder } from '../testing/folder.ts';
import { asked } from './asked.ts';
import { explanationOf } from './explain.ts';
import type { Explanation } from './explanation.ts';
import { folderSnapshot } from './folder.ts';
import { linkSnapshot } from './linked.ts';

/** What becomes of "GET http://host/path" by these YAML documents. */
export async function explained(
  request: string,
  yaml: string,
  { headers = [], client = '127.0.0.1' }: { headers?: string[]; client?: string } = {},
): Promise<Explanation> {
  await using folder = await createFolder({ 'all.yaml': yaml });
  const [method = '', url = ''] = request.split(' ');
  const snapshot = linkSnapshot(await folderSnapshot(folder.path));
  return explanationOf(asked(method, url, headers, client), snapshot);
}

/** A Gateway of namespace "default" with these listeners. */
export function gateway(name: string, ...listeners: string[]): string {
  return `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name} }
spec:
  gatewayClassName: gatehouse
  listeners: [${listeners.join(', ')}]
`;
}

/** A Route of namespace "default"; `rules` in flow style, without brackets. */
export function route(name: string, rules: string, spec = ''): string {
  return `
---
apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: ${name} }
spec:
  ${spec}
  rules: [${rules}]
`;
}

/** A rule that answers by itself. */
export function rule(name: string, match: string, status = 200): string {
  const matches = match === '' ? '' : `matches: [{ ${match} }],`;
  return `{ name: ${name}, ${matches} respond: { status: ${status} } }`;
}

export function policy(name: string, spec: string): string {
  return `
---
apiVersion: gatehouse.dev/v1alpha1
kind: AuthPolicy
metadata: { name: ${name} }
spec: { ${spec} }
`;
}
