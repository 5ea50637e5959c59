import { fromBinary } from '@bufbuild/protobuf';
import {
  type Key,
  Kind,
  keyOf,
  Listener_Protocol,
  ListenerSchema,
  type Resource,
  type ResourceSet,
  resourceOf,
  versionOf,
} from '@gatehouse/snapshot';
import type { Compiled } from './compile/index.ts';

/** Ports of the listeners, ascending. */
export function portsOf({ config }: Compiled): number[] {
  const ports = new Set(listenersOf(config).map(({ listener }) => listener.port));
  return [...ports].sort((a, b) => a - b);
}

/**
 * Moves the first HTTP listener by namespace, Gateway and name, and those that share its port, to
 * another port: what `--http-port` asks for.
 */
export function withHttpPort(compiled: Compiled, port: number): Compiled {
  const listeners = listenersOf(compiled.config).filter(
    ({ listener }) => listener.protocol === Listener_Protocol.HTTP,
  );
  const replaced = listeners[0]?.listener.port;
  const config = new Map<Key, Resource>(compiled.config);
  for (const { name, listener } of listeners) {
    if (listener.port !== replaced) continue;
    const moved = resourceOf(Kind.LISTENER, name, ListenerSchema, { ...listener, port });
    config.set(keyOf(Kind.LISTENER, name), moved);
  }
  return { ...compiled, config, configVersion: versionOf(config) };
}

function listenersOf(config: ResourceSet) {
  return [...config.values()]
    .filter(({ kind }) => kind === Kind.LISTENER)
    .map(({ name, body }) => ({ name, listener: fromBinary(ListenerSchema, body) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
