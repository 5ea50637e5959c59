import type { Identity } from '../filter.ts';

/** Nobody in particular. */
export const anonymous: Identity = {
  method: '',
  id: '',
  roles: [],
  scopes: [],
  consumer: '',
  plan: '',
  claims: {},
};

/** The identity that claims tell of: user_id or sub, role or roles, scope or scp (RFC 8693 section 4.2). */
export function identityOf(method: string, claims: Readonly<Record<string, unknown>>): Identity {
  return {
    method,
    id: textOf(claims.user_id) || textOf(claims.sub),
    roles: [...textsOf(claims.role), ...textsOf(claims.roles)],
    scopes: [...words(claims.scope), ...words(claims.scp)],
    consumer: '',
    plan: '',
    claims,
  };
}

/** Value of a claim; "a.b" looks into objects when there is no claim of that very name. */
export function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** A claim as a list of texts: a string, a number or a boolean is one, of a list its items are. */
export function textsOf(claim: unknown): string[] {
  const items = Array.isArray(claim) ? claim : [claim];
  return items.map(textOf).filter((text) => text !== '');
}

function textOf(claim: unknown): string {
  if (typeof claim === 'string') return claim;
  return typeof claim === 'number' || typeof claim === 'boolean' ? String(claim) : '';
}

function words(claim: unknown): string[] {
  return textsOf(claim).flatMap((text) => text.split(' ').filter((word) => word !== ''));
}
