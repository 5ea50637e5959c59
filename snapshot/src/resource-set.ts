import { createHash } from 'node:crypto';
import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Kind, Lane, type Resource, ResourceSchema, type Update } from './generated/snapshot_pb.js';

/** Identity of a resource in a snapshot: "<kind number>:<name>". */
export type Key = `${number}:${string}`;

/** All resources of one lane, by key. Never changed in place. */
export type ResourceSet = ReadonlyMap<Key, Resource>;

/** Hex hashes by key: what somebody holds, without the bodies. Never changed in place. */
export type Manifest = ReadonlyMap<Key, string>;

/** 16 bytes of SHA-256 are kept: enough against any accident or forged body, half the manifest. */
const hashBytes = 16;

export const emptySet: ResourceSet = new Map();

export function keyOf(kind: Kind, name: string): Key {
  return `${kind}:${name}`;
}

/** The kind and name that `keyOf` joined. */
export function splitKey(key: Key): { kind: Kind; name: string } {
  const colon = key.indexOf(':');
  return { kind: Number(key.slice(0, colon)), name: key.slice(colon + 1) };
}

export function laneOf(kind: Kind): Lane {
  return kind === Kind.ENDPOINTS ? Lane.ENDPOINTS : Lane.CONFIG;
}

/** Hash of a resource: covers kind, name and body. The length keeps name and body apart. */
export function hashOf(kind: Kind, name: string, body: Uint8Array): Uint8Array {
  const digest = createHash('sha256')
    .update(`${name.length}:${keyOf(kind, name)}\n`)
    .update(body)
    .digest();
  return new Uint8Array(digest.subarray(0, hashBytes));
}

/** Serialises a body and addresses it by its content. Same message, same bytes, same hash. */
export function resourceOf<D extends DescMessage>(
  kind: Kind,
  name: string,
  schema: D,
  message: MessageShape<D>,
): Resource {
  const body = toBinary(schema, message, { writeUnknownFields: false });
  return create(ResourceSchema, { kind, name, hash: hashOf(kind, name, body), body });
}

export function manifestOf(set: ResourceSet): Manifest {
  const manifest = new Map<Key, string>();
  for (const [key, resource] of set) manifest.set(key, hex(resource.hash));
  return manifest;
}

/** Hex version of a whole lane: SHA-256 over the sorted manifest of keys and hashes. */
export function versionOf(set: ResourceSet): string {
  return versionOfManifest(manifestOf(set));
}

/** The version of the set that has this manifest. */
export function versionOfManifest(manifest: Manifest): string {
  const lines: string[] = [];
  for (const [key, hash] of manifest) lines.push(lineOf(key, hash));
  return versionOfLines(lines.sort());
}

/** What stands for a resource in the text that a version is the hash of. */
export function manifestLine(key: Key, hash: Uint8Array): string {
  return lineOf(key, hex(hash));
}

/** The length in front makes lines separable whatever characters a name holds. */
function lineOf(key: Key, hash: string): string {
  return `${key.length} ${key} ${hash}\n`;
}

/** The version of the set that has these lines, which are sorted. */
export function versionOfLines(lines: readonly string[]): string {
  return createHash('sha256')
    .update(lines.join(''))
    .digest('hex')
    .slice(0, hashBytes * 2);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** What must be sent to somebody who holds `held` (hex hashes by key) so that they hold `target`. */
export function difference(
  held: Manifest,
  target: ResourceSet,
): { put: Resource[]; remove: Key[] } {
  const put: Resource[] = [];
  const remove: Key[] = [];
  for (const [key, resource] of target) {
    if (held.get(key) !== hex(resource.hash)) put.push(resource);
  }
  for (const key of held.keys()) if (!target.has(key)) remove.push(key);
  return { put, remove };
}

/** What stays of a set beside a full update. */
function keptOf(held: ResourceSet, { keep }: Update): ResourceSet {
  const kept = new Map<Key, Resource>();
  for (const { kind, name } of keep) {
    const key = keyOf(kind, name);
    const resource = held.get(key);
    if (resource) kept.set(key, resource);
  }
  return kept;
}

/** An update that did not arrive whole. The old set stays in use and the lane is asked for again. */
export class BrokenUpdate extends Error {}

/**
 * Applies an update to the set that is held.
 * @param versionAfter tells the version of the result when that can be done for less.
 * @throws BrokenUpdate when a body does not fit its hash or the result does not fit the version.
 */
export function applyUpdate(
  held: ResourceSet,
  update: Update,
  versionAfter: (next: ResourceSet) => string = versionOf,
): ResourceSet {
  const next = new Map(update.full ? keptOf(held, update) : held);
  for (const { kind, name } of update.remove) next.delete(keyOf(kind, name));
  for (const resource of update.put) {
    const { kind, name, hash, body } = resource;
    if (laneOf(kind) !== update.lane) {
      throw new BrokenUpdate(`Cannot apply resource "${name}": it belongs to the other lane`);
    }
    if (!sameHash(hashOf(kind, name, body), hash)) {
      throw new BrokenUpdate(`Cannot apply resource "${name}": its body does not fit its hash`);
    }
    next.set(keyOf(kind, name), resource);
  }
  const version = versionAfter(next);
  if (version !== update.version) {
    throw new BrokenUpdate(`Cannot apply version ${update.version}: the result is ${version}`);
  }
  return next;
}

/** Whether two hashes are of the same content. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.byteLength !== b.byteLength) return false;
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}
