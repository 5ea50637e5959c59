import type { CheckedListener } from './gateway.ts';
import { compareText, sortedBy } from './resources.ts';

type Conflict = { reason: 'HostnameConflict' | 'ProtocolConflict'; message: string };

/** A listener after it was compared with all others. */
export type JudgedListener = CheckedListener & {
  conflict: Conflict | undefined;
  /** Why nobody can rely on it; "" when one can. */
  out: string;
  /** In the snapshot: also when only those serve it who hold the last good content of its Secrets. */
  served: boolean;
};

const noCertificate = 'it has no usable certificate';
const kept = 'only data planes that hold its last good one serve it';

/**
 * Decides which listeners are served. Of two that cannot share a port the one of the older Gateway
 * is, then the one whose namespace, Gateway and listener name come first (Gateway API, Listener
 * conflicts). A listener whose Secrets are lost keeps its place, so that a port never goes over to
 * another Gateway with a Secret; one that names no Secret it may use is in nobody's way.
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
    const { protocol, secrets, lost } = listener;
    const bare = protocol === 'HTTPS' && secrets.length === 0;
    const out = bare ? noCertificate : '';
    if (bare && lost.length === 0) return { ...listener, conflict: undefined, out, served: false };
    const conflict = conflictWith(listener, served);
    if (conflict) return { ...listener, conflict, out: conflict.message, served: false };
    served.push(listener);
    return { ...listener, conflict, out: bare ? `${out}, ${kept}` : out, served: true };
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
    const first = other.created < listener.created ? 'is older' : 'comes first by name';
    const winner = `listener "${other.section}" of Gateway "${other.gateway}", which ${first},`;
    if (other.protocol !== listener.protocol) {
      const message = `${winner} speaks ${other.protocol} on port ${other.port}: use another port`;
      return { reason: 'ProtocolConflict', message };
    }
    if (other.hostname === listener.hostname) {
      const host = other.hostname === '' ? 'any host' : `"${other.hostname}"`;
      const message = `${winner} serves ${host} on port ${other.port}: use another hostname or port`;
      return { reason: 'HostnameConflict', message };
    }
  }
  return undefined;
}
