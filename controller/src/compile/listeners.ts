import type { CheckedListener } from './gateway.ts';
import { compareText, sortedBy } from './resources.ts';

type Conflict = { reason: 'HostnameConflict' | 'ProtocolConflict'; message: string };

/** A listener after it was compared with all others. */
export type JudgedListener = CheckedListener & {
  conflict: Conflict | undefined;
  /** Why it is not in the snapshot; "" when it is. */
  out: string;
};

/**
 * Decides which listeners are served. Of two that cannot share a port the one of the older Gateway
 * is, then the one whose namespace, Gateway and listener name come first (Gateway API, Listener
 * conflicts). A listener without any certificate is in nobody's way.
 */
export function judgeListeners(listeners: readonly CheckedListener[]): JudgedListener[] {
  const served: CheckedListener[] = [];
  const inTurn = [...listeners].sort(
    (a, b) =>
      a.created - b.created ||
      compareText(a.gateway, b.gateway) ||
      compareText(a.section, b.section),
  );
  const judged = inTurn.map((listener) => {
    const bare = listener.protocol === 'HTTPS' && listener.secrets.length === 0;
    if (bare) return { ...listener, conflict: undefined, out: 'it has no usable certificate' };
    const conflict = conflictWith(listener, served);
    if (conflict) return { ...listener, conflict, out: conflict.message };
    served.push(listener);
    return { ...listener, conflict, out: '' };
  });
  return sortedBy(judged, ({ id }) => id);
}

function conflictWith(
  listener: CheckedListener,
  served: readonly CheckedListener[],
): Conflict | undefined {
  for (const other of served) {
    if (other.id === listener.id) {
      return { reason: 'HostnameConflict', message: 'its name is that of another listener' };
    }
    if (other.port !== listener.port) continue;
    if (other.protocol !== listener.protocol) {
      const message = `listener "${other.id}" speaks ${other.protocol} on port ${other.port}`;
      return { reason: 'ProtocolConflict', message };
    }
    if (other.hostname === listener.hostname) {
      const host = other.hostname === '' ? 'any host' : `"${other.hostname}"`;
      const message = `listener "${other.id}" serves ${host} on port ${other.port}`;
      return { reason: 'HostnameConflict', message };
    }
  }
  return undefined;
}
