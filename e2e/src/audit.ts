import { readFile } from 'node:fs/promises';
import type { Cluster } from '../cluster/cluster.ts';

/** One line of the audit log of the API server, the fields that are read here. */
export type AuditEvent = {
  verb: string;
  userAgent?: string;
  user: { username: string };
  objectRef?: { apiGroup?: string; resource: string; subresource?: string; name?: string };
  requestURI: string;
  responseStatus?: { code: number };
};

/** What an account asked of the API server so far. */
export async function requestsOf(
  { auditLog }: Pick<Cluster, 'auditLog'>,
  account: string,
): Promise<AuditEvent[]> {
  const text = await readFile(auditLog, 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes(account))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ user }) => user.username === account);
}

/** What RBAC had to allow for a request, e.g. "patch gatehouse.dev/routes/status". */
export function permissionsOf({ verb, objectRef, responseStatus }: AuditEvent): string[] {
  if (objectRef === undefined) return [];
  const { apiGroup = '', resource, subresource } = objectRef;
  const object = `${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
  // To apply what is not there yet takes the right to create it as well.
  const creates = verb === 'patch' && responseStatus?.code === 201;
  return [`${verb} ${object}`, ...(creates ? [`create ${object}`] : [])];
}
