import { createHash } from 'node:crypto';
import type { ApiKeyMethod, ConsumerObject } from '@gatehouse/crds';
import { type ApiKeyOwner, apiKeysName, apiKeysResource } from '@gatehouse/snapshot';
import type { PolicyContext } from '../context.ts';

/** Bytes of a key: fewer can be guessed, and more do not fit into the head of a request. */
const shortest = 16;
const longest = 4096;

/** Where a key was found, in words, with its owner and the path that names its Secret. */
type FoundKey = { hash: string; owner: ApiKeyOwner; place: string; path: string };

/** Reports bad keys and puts the hashes of the others into the snapshot; keys never leave here. */
export function checkApiKey(config: ApiKeyMethod, path: string, context: PolicyContext): void {
  const found: FoundKey[] = [];
  for (const [i, { name }] of (config.secretRefs ?? []).entries()) {
    const keys = keysOfSecret(name, `${path}.secretRefs[${i}]`, context);
    putKeys(name, keys, context);
    found.push(...keys);
  }
  if (config.consumers) {
    const keys = context.consumers().flatMap((consumer) => keysOfConsumer(consumer, path, context));
    if (keys.length === 0) {
      const reason = `no Consumer in namespace "${context.namespace}" has a key: add one, or leave this out`;
      context.report(`${path}.consumers`, reason);
    }
    putKeys('*', keys, context);
    found.push(...keys);
  }
  reportShared(found, context);
}

function keysOfSecret(name: string, path: string, context: PolicyContext): FoundKey[] {
  return keysIn(name, path, context, (user) => ({ ...nobody, id: user }));
}

const nobody: ApiKeyOwner = { id: '', consumer: '', plan: '', roles: [], attributes: {} };

function keysOfConsumer(
  { metadata, spec }: ConsumerObject,
  path: string,
  context: PolicyContext,
): FoundKey[] {
  const owner: ApiKeyOwner = {
    id: spec.username ?? metadata.name,
    consumer: metadata.name,
    plan: spec.plan ?? '',
    roles: spec.roles ?? [],
    attributes: spec.attributes ?? {},
  };
  return (spec.apiKeys ?? []).flatMap(({ name }) =>
    keysIn(name, `${path}.consumers`, context, () => owner),
  );
}

function keysIn(
  secret: string,
  path: string,
  context: PolicyContext,
  ownerOf: (entry: string) => ApiKeyOwner,
): FoundKey[] {
  const entries = context.secretEntries(secret, path);
  if (!entries) return [];
  const id = `${context.namespace}/${secret}`;
  if (entries.size === 0) {
    context.report(path, `Secret "${id}" has no entries: add one a key`);
  }
  const found: FoundKey[] = [];
  for (const [entry, bytes] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = withoutLineEnd(bytes);
    const place = `entry "${entry}" of Secret "${id}"`;
    const fault = faultOf(key);
    if (fault) context.report(path, `${place} ${fault}`);
    else found.push({ hash: sha256(key), owner: ownerOf(entry), place, path });
  }
  return found;
}

/** Files that Secrets are made from mostly end in a line end, which nobody means. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end--;
  if (bytes[end - 1] === 0x0d) end--;
  return bytes.subarray(0, end);
}

/** What keeps a key from being used; says nothing of its bytes. */
function faultOf(key: Uint8Array): string | undefined {
  if (key.length < shortest) return `is shorter than ${shortest} bytes: make a longer key`;
  if (key.length > longest) return `is longer than ${longest} bytes: make a shorter key`;
  if (key.every((byte) => byte > 0x20 && byte < 0x7f)) return undefined;
  return 'holds spaces, controls or other than ASCII: clients cannot send it in a header';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function putKeys(source: string, keys: readonly FoundKey[], context: PolicyContext) {
  const owners = new Map(keys.map(({ hash, owner }) => [hash, owner]));
  context.put(apiKeysResource(apiKeysName(context.namespace, source), owners));
}

/** A key that two have tells neither of them. */
function reportShared(keys: readonly FoundKey[], context: PolicyContext) {
  const first = new Map<string, FoundKey>();
  for (const key of keys) {
    const other = first.get(key.hash);
    if (!other) first.set(key.hash, key);
    else if (other.owner.id !== key.owner.id || other.owner.consumer !== key.owner.consumer) {
      context.report(key.path, `${key.place} is the key of ${other.place} too: give each its own`);
    }
  }
}
