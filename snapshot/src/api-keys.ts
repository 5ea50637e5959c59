import { create } from '@bufbuild/protobuf';
import { Kind, type Resource, SecretSchema } from './generated/snapshot_pb.js';
import { resourceOf } from './resource-set.ts';

/** Whom an API key belongs to. */
export type ApiKeyOwner = {
  id: string;
  /** Name of the Consumer; '' when the key stands in a Secret of a policy. */
  consumer: string;
  plan: string;
  roles: readonly string[];
  attributes: Readonly<Record<string, string>>;
};

/** Owners by the SHA-256 of their key, in hex. */
export type ApiKeyOwners = ReadonlyMap<string, ApiKeyOwner>;

const entry = 'keys.json';

/** The Secret resource that tells data planes whose keys are good. `name`: see apiKeysName. */
export function apiKeysResource(name: string, owners: ApiKeyOwners): Resource {
  const sorted = [...owners].sort(([a], [b]) => (a < b ? -1 : 1));
  const data = { [entry]: new TextEncoder().encode(JSON.stringify(Object.fromEntries(sorted))) };
  return resourceOf(Kind.SECRET, name, SecretSchema, create(SecretSchema, { data }));
}

/**
 * Reads the data of such a resource.
 * @throws Error when it is not what `apiKeysResource` writes.
 */
export function apiKeyOwnersOf(data: Readonly<Record<string, Uint8Array>>): ApiKeyOwners {
  const text = data[entry];
  const parsed: unknown = text && JSON.parse(new TextDecoder().decode(text));
  if (!isRecord(parsed)) throw new Error(`Cannot read API keys: there is no object in "${entry}"`);
  return new Map(
    Object.entries(parsed).map(([hash, owner]) => {
      if (!/^[0-9a-f]{64}$/.test(hash) || !isOwner(owner)) {
        throw new Error('Cannot read API keys: an entry is no owner by SHA-256');
      }
      return [hash, owner];
    }),
  );
}

function isOwner(value: unknown): value is ApiKeyOwner {
  return (
    isRecord(value) &&
    typeof value.id === 'string' &&
    typeof value.consumer === 'string' &&
    typeof value.plan === 'string' &&
    Array.isArray(value.roles) &&
    value.roles.every((role) => typeof role === 'string') &&
    isRecord(value.attributes) &&
    Object.values(value.attributes).every((text) => typeof text === 'string')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
