import { certificatesIn, type Held } from './rotation.ts';

/** What a Secret holds; what it lacks altogether is what was in use before. */
export function heldIn(data: Record<string, unknown>, before: Held): Held {
  const text = (name: string) =>
    typeof data[name] === 'string' ? Buffer.from(data[name], 'base64').toString('utf8') : '';
  const [certificate, key] = [text('tls.crt'), text('tls.key')];
  const authorityKey = text('ca.key');
  const emptied = authorityKey === '' && certificate === '';
  const server = certificate === '' ? undefined : { certificate, key };
  return {
    authorities: emptied ? (before.authorities ?? []) : certificatesIn(text('ca.crt')),
    ...(authorityKey === '' ? {} : { authorityKey }),
    ...(emptied ? before.server && { server: before.server } : server && { server }),
  };
}

/** As data of a Secret. */
export function encoded({
  authorities = [],
  authorityKey = '',
  server,
}: Held): Record<string, string> {
  const texts = {
    'ca.crt': bundleOf(authorities),
    'ca.key': authorityKey,
    'tls.crt': server?.certificate ?? '',
    'tls.key': server?.key ?? '',
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
}

/** What data planes read: all whom they trust. */
export function bundleOf(authorities: readonly string[]): string {
  return authorities.map((one) => `${one.trim()}\n`).join('');
}
