import { createPathTable, type PathTable } from './path-table.ts';

/** One hostname, and the next less specific one that covers it too. */
export type Host<T> = { readonly table: PathTable<T>; next: Host<T> | undefined };

export type HostTable<T> = {
  readonly exact: Map<string, Host<T>>;
  /** By what follows the "*": ".example.com". */
  readonly wildcards: Map<string, Host<T>>;
  any: Host<T> | undefined;
  /** Characters of the longest key of `wildcards`. */
  longestWildcard: number;
};

export function createHostTable<T>(): HostTable<T> {
  return { exact: new Map(), wildcards: new Map(), any: undefined, longestWildcard: 0 };
}

/** The table of a hostname, "*.example.com" or '' for any host; made when there is none. */
export function pathTableOf<T>(hosts: HostTable<T>, hostname: string): PathTable<T> {
  const known =
    hostname === ''
      ? hosts.any
      : hostname.startsWith('*')
        ? hosts.wildcards.get(hostname.slice(1))
        : hosts.exact.get(hostname);
  if (known !== undefined) return known.table;
  const table = createPathTable<T>();
  setHost(hosts, hostname, table);
  return table;
}

/** Gives a hostname, "*.example.com" or '' for any host, its table. */
export function setHost<T>(hosts: HostTable<T>, hostname: string, table: PathTable<T>): void {
  const host = { table, next: undefined };
  if (hostname === '') {
    hosts.any = host;
  } else if (hostname.startsWith('*')) {
    const key = hostname.slice(1);
    hosts.wildcards.set(key, host);
    hosts.longestWildcard = Math.max(hosts.longestWildcard, key.length);
  } else {
    hosts.exact.set(hostname, host);
  }
}

/** Sets `next` of every host, once all of them are there. */
export function linkHosts<T>(hosts: HostTable<T>): void {
  for (const [name, host] of hosts.exact) host.next = widerHost(hosts, name);
  for (const [name, host] of hosts.wildcards) host.next = widerHost(hosts, name);
}

/** The most specific host that covers the one of a request (Gateway API, HTTPRouteSpec.hostnames). */
export function findHost<T>(hosts: HostTable<T>, name: string): Host<T> | undefined {
  return hosts.exact.get(name) ?? widerHost(hosts, name);
}

/** A wildcard stands for one or more labels, so it never covers its own suffix. */
function widerHost<T>(hosts: HostTable<T>, name: string): Host<T> | undefined {
  if (hosts.longestWildcard > 0) {
    let dot = name.indexOf('.', Math.max(1, name.length - hosts.longestWildcard));
    while (dot >= 0) {
      const host = hosts.wildcards.get(name.slice(dot));
      if (host !== undefined) return host;
      dot = name.indexOf('.', dot + 1);
    }
  }
  return hosts.any;
}
