import { type Counting, parseDuration } from '@gatehouse/crds';
import type { PolicyContext } from '../context.ts';

type Redis = NonNullable<Counting['redis']>;
type SecretRef = NonNullable<Redis['passwordSecretRef']>;

/** Milliseconds for one answer. */
const timeout = { least: 1, most: 10_000 };

/** Reports what is wrong with a Redis, and has its Secrets sent. */
export function checkRedis(config: Redis, path: string, context: PolicyContext): void {
  const { addresses, passwordSecretRef, sentinelPasswordSecretRef, tls } = config;
  for (const [i, address] of addresses.entries()) {
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    if (port >= 1 && port <= 65_535) continue;
    context.report(`${path}.addresses[${i}]`, `"${address}" has no port from 1 to 65535`);
  }
  if (config.timeout !== undefined) {
    const length = parseDuration(config.timeout);
    if (length < timeout.least || length > timeout.most) {
      context.report(`${path}.timeout`, `"${config.timeout}" must be from "1ms" to "10s"`);
    }
  }
  const secret = (ref: SecretRef | undefined, key: string, at: string) => {
    const bytes = ref && context.secretEntry(ref, key, at);
    if (!bytes) return;
    const entry = `the entry "${ref.key ?? key}" of Secret "${ref.name}"`;
    if (bytes.length === 0) context.report(at, `${entry} is empty`);
    // Of a text that is none nobody would be told: no certificate is trusted then.
    else if (key === 'ca.crt' && !Buffer.from(bytes).includes('-----BEGIN CERTIFICATE-----')) {
      context.report(at, `${entry} holds no certificate as PEM`);
    }
  };
  secret(passwordSecretRef, 'password', `${path}.passwordSecretRef`);
  secret(sentinelPasswordSecretRef, 'password', `${path}.sentinelPasswordSecretRef`);
  secret(tls?.caSecretRef, 'ca.crt', `${path}.tls.caSecretRef`);
}
