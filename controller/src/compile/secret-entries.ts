import type { SecretObject } from '@gatehouse/crds';

/** All entries of a Secret; stringData wins over data, as the API server merges them. */
export function entriesOf({ data, stringData }: SecretObject): ReadonlyMap<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  for (const [key, encoded] of Object.entries(data ?? {})) {
    entries.set(key, new Uint8Array(Buffer.from(encoded, 'base64')));
  }
  for (const [key, text] of Object.entries(stringData ?? {})) {
    entries.set(key, new Uint8Array(Buffer.from(text, 'utf8')));
  }
  return entries;
}
