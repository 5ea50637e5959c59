import { hash } from 'node:crypto';
import { type Counting, defaults, parseDuration } from '@gatehouse/crds';
import { policySecretName } from '@gatehouse/snapshot';

export type RedisConfig = NonNullable<Counting['redis']>;

export type RedisAddress = { host: string; port: number };

/** How a Redis is reached; equal settings share a connection a thread. */
export type RedisSettings = {
  /** The same for the same settings; tells nothing of them. */
  id: string;
  mode: 'Single' | 'Cluster' | 'Sentinel';
  addresses: readonly RedisAddress[];
  /** Name of the master; "" unless the mode is Sentinel. */
  master: string;
  username: string;
  /** "": none. */
  password: string;
  sentinelPassword: string;
  tls: { ca: string; serverName: string } | undefined;
  /** Milliseconds for one answer. */
  timeout: number;
  /** What all keys start with. */
  keyPrefix: string;
};

/** A Secret that is named and is not there, or has not the entry. */
export type MissingSecret = { missing: string };

/**
 * @param namespace of the policy, in which its Secrets are.
 * @param secret the data of a Secret resource by its name.
 */
export function redisSettings(
  config: RedisConfig,
  namespace: string,
  secret: (name: string) => Readonly<Record<string, Uint8Array>> | undefined,
): RedisSettings | MissingSecret {
  const missing: string[] = [];
  const text = (ref: { name: string; key?: string } | undefined, fallback: string) => {
    if (!ref) return '';
    const key = ref.key ?? fallback;
    const bytes = secret(policySecretName(namespace, ref.name, key))?.[key];
    if (!bytes) missing.push(`the Secret "${namespace}/${ref.name}" has no entry "${key}"`);
    return Buffer.from(bytes ?? []).toString();
  };
  const settings = {
    mode: config.mode ?? 'Single',
    addresses: config.addresses.map(addressOf),
    master: config.master ?? '',
    username: config.username ?? '',
    password: text(config.passwordSecretRef, 'password').trimEnd(),
    sentinelPassword: text(config.sentinelPasswordSecretRef, 'password').trimEnd(),
    tls: config.tls && {
      ca: text(config.tls.caSecretRef, 'ca.crt'),
      serverName: config.tls.serverName ?? '',
    },
    timeout: parseDuration(config.timeout ?? defaults.redisTimeout),
    keyPrefix: config.keyPrefix ?? defaults.redisKeyPrefix,
  };
  const [first] = missing;
  if (first !== undefined) return { missing: first };
  return { ...settings, id: hash('sha256', JSON.stringify(settings)) };
}

/** "host:port", where a host may be an IPv6 address in brackets. */
function addressOf(text: string): RedisAddress {
  const colon = text.lastIndexOf(':');
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(text.slice(colon + 1)),
  };
}

/** The addresses as logs name them. */
export function labelOf({ addresses }: Pick<RedisSettings, 'addresses'>): string {
  return addresses.map(({ host, port }) => `${host}:${port}`).join(',');
}
