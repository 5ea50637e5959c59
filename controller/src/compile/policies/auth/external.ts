import type { ExternalMethod } from '@gatehouse/crds';
import { whyReserved } from '../../header-edits.ts';
import type { PolicyContext } from '../context.ts';
import { checkTimeout, checkUrl } from './remote-call.ts';

/** Written by the gateway into every request. */
const own = /^(?:x-forwarded-(?:for|proto|host|port|method|uri)|forwarded|via|x-request-id)$/;

/** What the schema cannot say about a service that decides about requests. */
export function checkExternal(config: ExternalMethod, path: string, context: PolicyContext): void {
  const { protocol = 'HTTP', requestHeaders, upstreamHeaders } = config;
  const url = checkUrl(config.url, `${path}.url`, context);
  if (url && url.search !== '') {
    context.report(`${path}.url`, 'has a query, which has no place before the path of the request');
  }
  if (protocol === 'GRPC' && requestHeaders) {
    context.report(`${path}.requestHeaders`, 'goes with protocol HTTP: with GRPC all are sent');
  }
  checkNames(requestHeaders ?? [], `${path}.requestHeaders`, context);
  checkNames(upstreamHeaders ?? [], `${path}.upstreamHeaders`, context);
  checkTimeout(config.timeout, `${path}.timeout`, context);
}

function checkNames(names: readonly string[], path: string, { report }: PolicyContext) {
  const seen = new Set<string>();
  for (const [i, name] of names.entries()) {
    const lower = name.toLowerCase();
    const reserved = whyReserved(name);
    if (reserved !== undefined) report(`${path}[${i}]`, reserved);
    else if (own.test(lower)) report(`${path}[${i}]`, `"${name}" is set by the gateway itself`);
    else if (seen.has(lower)) report(`${path}[${i}]`, `"${name}" is given twice`);
    seen.add(lower);
  }
}
