import { type BasicMethod, parseHtpasswd } from '@gatehouse/crds';
import type { PolicyContext } from '../context.ts';

/** Mistakes a Secret is told of; more would bury the first. */
const mostFaults = 10;

/** Reports lines of the htpasswd file that cannot be used, by number and never by content. */
export function checkBasic({ secretRef }: BasicMethod, path: string, context: PolicyContext): void {
  const at = `${path}.secretRef`;
  const text = context.secretEntry(secretRef, 'auth', at);
  if (!text) return;
  const entry = `entry "${secretRef.key ?? 'auth'}" of Secret "${context.namespace}/${secretRef.name}"`;
  const { faults } = parseHtpasswd(text);
  for (const { line, reason } of faults.slice(0, mostFaults)) {
    context.report(at, line === 0 ? `${entry} ${reason}` : `line ${line} of ${entry} ${reason}`);
  }
  if (faults.length > mostFaults) {
    context.report(at, `${entry} has ${faults.length - mostFaults} further lines with mistakes`);
  }
}
