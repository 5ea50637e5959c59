import { fromBinary } from '@bufbuild/protobuf';
import {
  type Key,
  Kind,
  Listener_Protocol,
  ListenerSchema,
  type Resource,
  resourceOf,
  versionOf,
} from '@gatehouse/snapshot';
import type { Compiled } from './compile/index.ts';

/**
 * Moves the first HTTP listener by namespace, Gateway and name, and those that share its port, to
 * another port: what `--http-port` asks for.
 */
export function withHttpPort(compiled: Compiled, port: number): Compiled {
  const listeners = [...compiled.config.values()]
    .filter(({ kind }) => kind === Kind.LISTENER)
    .map(({ name, body }) => ({ name, listener: fromBinary(ListenerSchema, body) }))
    .filter(({ listener }) => listener.protocol === Listener_Protocol.HTTP)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const replaced = listeners[0]?.listener.port;
  const moved = new Map<string, Resource>();
  for (const { name, listener } of listeners) {
    if (listener.port !== replaced) continue;
    const elsewhere = { ...listener, port };
    moved.set(name, resourceOf(Kind.LISTENER, name, ListenerSchema, elsewhere));
  }
  const config = new Map<Key, Resource>();
  for (const [key, resource] of compiled.config) {
    const other = resource.kind === Kind.LISTENER ? moved.get(resource.name) : undefined;
    config.set(key, other ?? resource);
  }
  return { ...compiled, config, configVersion: versionOf(config) };
}
