import { isIP } from 'node:net';
import type { AuthorizationRule } from '@gatehouse/crds';
import type { PolicyContext } from '../context.ts';

/** What the schema cannot say about a rule of authorization. */
export function checkAuthorization(
  { expression, addresses }: AuthorizationRule,
  path: string,
  context: PolicyContext,
): void {
  if (expression !== undefined) {
    context.expression(expression, 'bool', 'identity', `${path}.expression`);
  }
  for (const list of ['allow', 'deny'] as const) {
    for (const [i, range] of (addresses?.[list] ?? []).entries()) {
      if (isRange(range)) continue;
      const reason = `"${range}" is not an address or a range such as "10.0.0.0/8"`;
      context.report(`${path}.addresses.${list}[${i}]`, reason);
    }
  }
}

function isRange(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || Number(bits) <= (family === 6 ? 128 : 32);
}
