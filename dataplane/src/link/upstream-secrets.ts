import { Kind } from '@gatehouse/snapshot';
import type { Security } from '../upstreams/security.ts';
import { dateText } from './certificates.ts';
import type { RefusedResource } from './refusals.ts';

/**
 * Which Secrets of an upstream are not to take the place of those before: one of which nothing can be made, and
 * one that has expired where the one before has not.
 */
export function refusedSecrets(
  { context, secrets }: Security,
  before: Security | undefined,
  now: number,
): RefusedResource[] {
  const whole = secrets.every(({ hash }) => hash);
  return secrets.flatMap(({ name, entry, validTo }) => {
    const path = `data["${entry}"]`;
    const refused = (reason: string) => [{ kind: Kind.SECRET, name, path, reason }];
    if (whole && !context) return refused('cannot be used for TLS to upstreams');
    const old = before?.secrets.find((one) => one.name === name);
    if (validTo >= now || !old || old.validTo < now) return [];
    const what = entry === 'ca.crt' ? 'all authorities' : 'the certificate';
    const until = `until ${dateText(old.validTo)}, stays in use`;
    return refused(
      `${what} of Secret "${name}" expired on ${dateText(validTo)}: put a valid one into it; what was there before, ${until}`,
    );
  });
}
