import type { MessageInitShape } from '@bufbuild/protobuf';
import { defaults, type Rule } from '@gatehouse/crds';
import type { RespondSchema } from '@gatehouse/snapshot';
import { whyReserved } from './header-edits.ts';
import type { Report } from './status.ts';

/** Answers that never have content (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5). */
const withoutContent = new Set([204, 205, 304]);

/** contentType counts as left out when it is the default: the API server fills that in. */
export function compileRespond(
  respond: NonNullable<Rule['respond']>,
  path: string,
  report: Report,
): MessageInitShape<typeof RespondSchema> {
  const { status, body = '', contentType = defaults.respondContentType, headers = [] } = respond;
  const chosen = contentType !== defaults.respondContentType;
  if (body !== '' && withoutContent.has(status)) {
    report(`${path}.body`, `must be left out, a ${status} response has no content`);
  }
  let typed = chosen;
  for (const [i, { name }] of headers.entries()) {
    const at = `${path}.headers[${i}].name`;
    const reason = whyReserved(name);
    if (reason !== undefined) report(at, reason);
    if (name.toLowerCase() !== 'content-type') continue;
    if (typed) report(at, 'content-type is given twice');
    typed = true;
  }
  const lead = chosen || (!typed && body !== '');
  return {
    status,
    body: new TextEncoder().encode(body),
    headers: [
      ...(lead ? [{ name: 'content-type', value: contentType }] : []),
      ...headers.map(({ name, value }) => ({ name, value })),
    ],
  };
}
