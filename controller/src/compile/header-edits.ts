import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Rule } from '@gatehouse/crds';
import type { HeaderEditsSchema } from '@gatehouse/snapshot';
import type { Report } from './status.ts';

type Edits = NonNullable<Rule['requestHeaders']>;

/** Fields of one connection (RFC 9110 section 7.6.1) or of the framing (RFC 9112 section 6). */
const connectionFields = new Set([
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Why the field must not be set by a Route; undefined when it may be. */
export function whyReserved(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (connectionFields.has(lower) || lower.startsWith('proxy-')) {
    return `"${name}" belongs to the connection and cannot be edited (RFC 9110 section 7.6.1)`;
  }
  if (lower === 'host') return '"host" cannot be edited here; give rewrite.host';
  return undefined;
}

export function compileHeaderEdits(
  edits: Edits,
  path: string,
  report: Report,
): MessageInitShape<typeof HeaderEditsSchema> {
  const check = (name: string, at: string) => {
    const reason = whyReserved(name);
    if (reason !== undefined) report(at, reason);
  };
  const seen = new Set<string>();
  for (const [i, { name }] of (edits.add ?? []).entries()) check(name, `${path}.add[${i}].name`);
  for (const [i, { name }] of (edits.set ?? []).entries()) {
    const at = `${path}.set[${i}].name`;
    check(name, at);
    if (seen.has(name.toLowerCase())) report(at, `"${name}" is set twice`);
    seen.add(name.toLowerCase());
  }
  for (const [i, name] of (edits.remove ?? []).entries()) check(name, `${path}.remove[${i}]`);
  return {
    add: (edits.add ?? []).map(({ name, value }) => ({ name, value })),
    set: (edits.set ?? []).map(({ name, value }) => ({ name, value })),
    remove: (edits.remove ?? []).map((name) => name.toLowerCase()),
  };
}
