/**
 * Hosts under which a Route answers on a listener: what both allow (Gateway API, HTTPRouteSpec
 * hostnames). "*.example.com" stands for one or more labels in front of "example.com".
 *
 * @param listener hostname of the listener; empty: any host.
 * @param route hostnames of the Route; empty: those of the listener.
 * @returns sorted lower-case hostnames; empty: every host of the listener; undefined: no host is left.
 */
export function intersectHostnames(
  listener: string,
  route: readonly string[],
): string[] | undefined {
  if (route.length === 0) return [];
  const hosts = new Set<string>();
  for (const host of route) {
    const common = intersection(listener.toLowerCase(), host.toLowerCase());
    if (common !== undefined) hosts.add(common);
  }
  return hosts.size === 0 ? undefined : [...hosts].sort();
}

function intersection(a: string, b: string): string | undefined {
  if (a === '' || a === b) return b;
  if (covers(a, b)) return b;
  if (covers(b, a)) return a;
  return undefined;
}

/** Whether every host of `narrow`, itself perhaps a wildcard, is one of the wildcard `wide`. */
function covers(wide: string, narrow: string): boolean {
  return wide.startsWith('*.') && narrow.length >= wide.length && narrow.endsWith(wide.slice(1));
}
