import { hash, timingSafeEqual } from 'node:crypto';
import type { CredentialPlace } from '@gatehouse/crds';
import { type ApiKeyOwner, apiKeyOwnersOf, apiKeysName } from '@gatehouse/snapshot';
import { type Identity, LinkFault } from '../../filter.ts';
import { credentialReader, withoutValue } from '../credential.ts';
import type { Attempt, LinkMethod, MethodContext } from '../method.ts';

const standard: readonly CredentialPlace[] = [{ header: 'x-api-key' }];

type Known = { digest: Buffer; identity: Identity };

/**
 * A key that the client sends. Data planes know only SHA-256 of keys: how long a look-up takes tells
 * about the hash, which nobody can choose, and not about the key.
 */
export const linkApiKey: LinkMethod<'apiKey'> = (config, context) => {
  const places = config.from ?? standard;
  const read = credentialReader(places);
  const sources = (config.secretRefs ?? []).map(({ name }) => name);
  if (config.consumers) sources.push('*');
  const known = new Map<string, Known>();
  for (const source of sources) addKeys(known, source, context);
  return {
    name: context.name,
    challenge: places[0]?.scheme ?? 'ApiKey',
    attempt(exchange): Attempt {
      const credential = read(exchange);
      if (credential === undefined) return { kind: 'missing' };
      if (credential === 'ambiguous') return { kind: 'invalid', reason: 'the key is sent twice' };
      const identity = identityFor(known, credential.value);
      if (!identity) return { kind: 'invalid', reason: 'the key is not known' };
      return { kind: 'identified', identity, credential: withoutValue(credential) };
    },
  };
};

function addKeys(known: Map<string, Known>, source: string, context: MethodContext) {
  const path = source === '*' ? 'consumers' : 'secretRefs';
  const data = context.secret(apiKeysName(context.namespace, source));
  if (!data) throw new LinkFault(path, `the keys of "${source}" are not in the snapshot`);
  try {
    for (const [hex, owner] of apiKeyOwnersOf(data)) {
      known.set(hex, { digest: Buffer.from(hex, 'hex'), identity: identityOfKey(owner, context) });
    }
  } catch (error) {
    throw new LinkFault(path, error instanceof Error ? error.message : String(error));
  }
}

function identityOfKey(
  { id, consumer, plan, roles, attributes }: ApiKeyOwner,
  { name }: MethodContext,
): Identity {
  const claims = {
    ...attributes,
    sub: id,
    ...(roles.length > 0 ? { roles } : {}),
    ...(plan === '' ? {} : { plan }),
  };
  return { method: name, id, roles, scopes: [], consumer, plan, claims };
}

/** Good keys are ASCII, so any other byte just makes another hash. */
function identityFor(known: ReadonlyMap<string, Known>, key: string): Identity | undefined {
  const digest = hash('sha256', key, 'buffer');
  const entry = known.get(digest.toString('hex'));
  return entry && timingSafeEqual(entry.digest, digest) ? entry.identity : undefined;
}
