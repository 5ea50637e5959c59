import { createHash } from 'node:crypto';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  hashOf,
  hex,
  type Key,
  keyOf,
  Lane,
  LastKnownGoodSchema,
  laneOf,
  type Resource,
  ResourceSchema,
} from '@gatehouse/snapshot';
import type { Held } from './lanes.ts';

const magic = Buffer.from('GATEHOUSE-LKG\n', 'latin1');
const formatVersion = 1;
const checksumBytes = 32;
/** magic, format version (uint32, big-endian), SHA-256 of the body. */
export const headBytes = magic.length + 4 + checksumBytes;

/** Bytes of a piece, at the least: what can be made without anybody noticing. */
const pieceBytes = 32 * 1024;
/** The fields of LastKnownGood. */
const resourcesField = 1;
const replicasField = 2;

/** The body of the file in pieces: a LastKnownGood, resource by resource. */
export function* bodyOf({ config, endpoints, replicas = 0 }: Held): Generator<Uint8Array> {
  let writer = new BinaryWriter();
  if (replicas > 0) writer.tag(replicasField, WireType.Varint).uint32(replicas);
  let bytes = 0;
  for (const set of [config, endpoints]) {
    for (const resource of set.values()) {
      writer.tag(resourcesField, WireType.LengthDelimited);
      writer.bytes(toBinary(ResourceSchema, resource));
      bytes += resource.body.byteLength;
      if (bytes < pieceBytes) continue;
      yield writer.finish();
      writer = new BinaryWriter();
      bytes = 0;
    }
  }
  yield writer.finish();
}

/** What stands before the body. @param checksum SHA-256 of the body. */
export function headOf(checksum: Uint8Array): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(formatVersion);
  return Buffer.concat([magic, version, checksum]);
}

export function encode(held: Held): Buffer {
  const body = Buffer.concat([...bodyOf(held)]);
  return Buffer.concat([headOf(sha256(body)), body]);
}

/** @throws Error with the reason why these bytes are not a whole file of this format. */
export function decode(bytes: Buffer): Held {
  if (!bytes.subarray(0, magic.length).equals(magic.subarray(0, bytes.length)) || !bytes.length) {
    throw new Error('it is not a last-known-good file');
  }
  if (bytes.length < headBytes) throw new Error('it is truncated');
  const version = bytes.readUInt32BE(magic.length);
  if (version !== formatVersion) {
    throw new Error(`its format is ${version}, this release reads ${formatVersion}`);
  }
  const body = bytes.subarray(headBytes);
  if (!sha256(body).equals(bytes.subarray(headBytes - checksumBytes, headBytes))) {
    throw new Error('its checksum does not fit: it is truncated or was altered');
  }
  const config = new Map<Key, Resource>();
  const endpoints = new Map<Key, Resource>();
  const { resources, replicas } = fromBinary(LastKnownGoodSchema, body);
  for (const resource of resources) {
    const { kind, name } = resource;
    if (hex(hashOf(kind, name, resource.body)) !== hex(resource.hash)) {
      throw new Error(`the body of resource "${name}" does not fit its hash`);
    }
    (laneOf(kind) === Lane.ENDPOINTS ? endpoints : config).set(keyOf(kind, name), resource);
  }
  return replicas > 0 ? { config, endpoints, replicas } : { config, endpoints };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
