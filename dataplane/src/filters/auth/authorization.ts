import { BlockList, isIP } from 'node:net';
import { type AuthorizationRule, compileExpression } from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import { expressionSource } from '../expression-source.ts';
import { type Identity, LinkFault } from '../filter.ts';
import { claimAt, textsOf } from './identity.ts';

/** Why the identity may not, for the log; undefined when it may. */
export type Authorize = (exchange: Exchange, identity: Identity) => string | undefined;

/** All conditions of a rule must hold. @throws LinkFault */
export function linkAuthorization(name: string, rule: AuthorizationRule): Authorize {
  const path = `authorization[${name}]`;
  const checks: Authorize[] = [];
  const { roles, scopes, claims, addresses, expression } = rule;
  if (addresses) checks.push(addressCheck(addresses, `${path}.addresses`));
  if (roles) {
    const wanted = new Set(roles);
    checks.push((_, identity) =>
      identity.roles.some((role) => wanted.has(role)) ? undefined : 'no role of the rule',
    );
  }
  if (scopes) {
    checks.push((_, identity) =>
      scopes.every((scope) => identity.scopes.includes(scope)) ? undefined : 'a scope is missing',
    );
  }
  for (const { name: claim, values } of claims ?? []) {
    checks.push((_, identity) =>
      textsOf(claimAt(identity.claims, claim)).some((text) => values.includes(text))
        ? undefined
        : `claim "${claim}" has no value of the rule`,
    );
  }
  if (expression !== undefined) checks.push(expressionCheck(expression, `${path}.expression`));
  return (exchange, identity) => {
    for (const check of checks) {
      const reason = check(exchange, identity);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
}

function expressionCheck(text: string, path: string): Authorize {
  const compiled = compiledOrFault(text, path);
  return (exchange, identity) => {
    try {
      const holds = compiled.evaluate(expressionSource(exchange, identity)) === true;
      return holds ? undefined : 'the expression is false';
    } catch (error) {
      // An expression that has no value grants nothing.
      return `the expression has no value: ${error instanceof Error ? error.message : 'error'}`;
    }
  };
}

function compiledOrFault(text: string, path: string) {
  try {
    return compileExpression(text, 'bool', 'identity');
  } catch (error) {
    throw new LinkFault(path, error instanceof Error ? error.message : String(error));
  }
}

function addressCheck(
  { allow, deny }: NonNullable<AuthorizationRule['addresses']>,
  path: string,
): Authorize {
  const allowed = allow && blockList(allow, `${path}.allow`);
  const denied = deny && blockList(deny, `${path}.deny`);
  return ({ clientAddress }) => {
    const family = isIP(clientAddress);
    // A trusted proxy that tells no address leaves nothing to allow by.
    if (family === 0) return 'the address of the client is not known';
    const kind = family === 6 ? 'ipv6' : 'ipv4';
    if (denied?.check(clientAddress, kind)) return 'the address of the client is denied';
    if (allowed && !allowed.check(clientAddress, kind)) {
      return 'the address of the client is not allowed';
    }
    return undefined;
  };
}

function blockList(ranges: readonly string[], path: string): BlockList {
  const list = new BlockList();
  for (const [index, range] of ranges.entries()) {
    const slash = range.indexOf('/');
    const address = slash < 0 ? range : range.slice(0, slash);
    const family = isIP(address);
    const bits = slash < 0 ? (family === 6 ? 128 : 32) : Number(range.slice(slash + 1));
    if (family === 0 || bits > (family === 6 ? 128 : 32)) {
      throw new LinkFault(`${path}[${index}]`, `"${range}" is not an address or a range`);
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
