import type { IdentityFields } from '@gatehouse/crds';
import { whyReserved } from '../../header-edits.ts';
import type { PolicyContext } from '../context.ts';
import { checkClient, checkUrl } from './remote-call.ts';

/** Lower-case names of the headers that carry what clients log in with. */
export function isCredentialHeader(name: string): boolean {
  return name === 'authorization' || name === 'cookie';
}

function notForIdentity(name: string): string {
  return `"${name}" carries what clients log in with: set it by requestHeaders of the Route, or exchange the token`;
}

/** What the schema cannot say about what the upstream learns. */
export function checkIdentity(
  { headers = [], exchange }: IdentityFields,
  path: string,
  context: PolicyContext,
): void {
  const names = new Set<string>();
  for (const [i, { name, expression }] of headers.entries()) {
    const at = `${path}.headers[${i}]`;
    context.expression(expression, 'header', 'identity', `${at}.expression`);
    const lower = name.toLowerCase();
    if (isCredentialHeader(lower)) context.report(`${at}.name`, notForIdentity(name));
    const reserved = whyReserved(lower);
    if (reserved !== undefined) context.report(`${at}.name`, reserved);
    if (names.has(lower)) context.report(`${at}.name`, `"${name}" is given twice`);
    names.add(lower);
  }
  if (!exchange) return;
  checkUrl(exchange.url, `${path}.exchange.url`, context);
  checkClient(exchange, `${path}.exchange`, context);
}
