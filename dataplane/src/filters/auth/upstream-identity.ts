import { type CompiledExpression, compileExpression, type IdentityFields } from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import { errorReply } from '../../http1/reply.ts';
import { expressionSource } from '../expression-source.ts';
import {
  type Denial,
  type Effects,
  type Identity,
  type LinkContext,
  LinkFault,
  type Outcome,
  type RuleInForce,
} from '../filter.ts';
import type { Credential } from './credential.ts';
import { fieldValueOf, UnsafeValue } from './field-value.ts';
import { linkTokenExchange, type TokenExchange } from './token-exchange.ts';

/** Tells the upstream about an identity. */
export type UpstreamIdentity = {
  apply(
    exchange: Exchange,
    effects: Effects,
    identity: Identity,
    credential: Credential | undefined,
  ): Outcome | Promise<Outcome>;
};

type Header = { name: string; value: CompiledExpression; rule: RuleInForce };
/** Values of an identity as field lines, or why they cannot be sent. */
type Lines = { text: string } | { unsafe: RuleInForce; reason: string };

/**
 * Rules of the block "identity": each holds one field of it, one header at a time.
 * @throws LinkFault
 */
export function linkUpstreamIdentity(
  rules: readonly RuleInForce[],
  context: LinkContext,
): UpstreamIdentity {
  const headers: Header[] = [];
  let defaults: RuleInForce | undefined;
  let strips = false;
  let exchangeToken: TokenExchange | undefined;
  for (const rule of rules) {
    const fields = rule.config as IdentityFields;
    if (fields.defaultHeaders) defaults = rule;
    if (fields.token === 'Strip') strips = true;
    if (fields.exchange) exchangeToken = linkTokenExchange(fields.exchange, rule, context);
    for (const { name, expression } of fields.headers ?? []) {
      headers.push({ name: name.toLowerCase(), value: compiled(name, expression), rule });
    }
  }
  const own = new Set(headers.map(({ name }) => name));
  const fixed = headers.filter(({ value }) => value.identityOnly);
  const varying = headers.filter(({ value }) => !value.identityOnly);
  const known = new WeakMap<Identity, Lines>();

  function fixedLines(exchange: Exchange, identity: Identity): Lines {
    let lines = known.get(identity);
    if (!lines) {
      lines = linesOf([
        ...defaultHeaders(defaults, identity).filter(({ name }) => !own.has(name)),
        ...valuesOf(fixed, exchange, identity),
      ]);
      known.set(identity, lines);
    }
    return lines;
  }

  return {
    apply(exchange, effects, identity, credential) {
      const lines = fixedLines(exchange, identity);
      if ('unsafe' in lines) return unsafe(lines);
      effects.upstreamFields += lines.text;
      if (varying.length > 0) {
        const more = linesOf(valuesOf(varying, exchange, identity));
        if ('unsafe' in more) return unsafe(more);
        effects.upstreamFields += more.text;
      }
      if (!credential) return undefined;
      if (strips || exchangeToken) credential.strip(exchange.head, effects);
      // Of what is no token, such as a password, there is nothing to exchange.
      if (credential.value === '') return undefined;
      return exchangeToken?.(credential.value, exchange.head, effects);
    },
  };
}

function unsafe({ unsafe: rule, reason }: Extract<Lines, { unsafe: RuleInForce }>): Denial {
  return { kind: 'denied', reply: errorReply(403, 'Forbidden'), rule, reason };
}

function compiled(name: string, expression: string): CompiledExpression {
  try {
    return compileExpression(expression, 'header', 'identity');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LinkFault(`identity.headers[${name}].expression`, reason);
  }
}

type Value = { name: string; rule: RuleInForce; value: () => boolean | string | number | string[] };

function defaultHeaders(rule: RuleInForce | undefined, { id, roles }: Identity): Value[] {
  if (!rule) return [];
  return [
    { name: 'x-user-id', rule, value: () => id },
    { name: 'x-user-role', rule, value: () => [...roles] },
  ];
}

function valuesOf(headers: readonly Header[], exchange: Exchange, identity: Identity): Value[] {
  return headers.map(({ name, rule, value }) => {
    return { name, rule, value: () => value.evaluate(expressionSource(exchange, identity)) };
  });
}

/** A value that is empty, or that an expression has not, is not sent. */
function linesOf(values: readonly Value[]): Lines {
  let text = '';
  for (const { name, rule, value } of values) {
    const found = evaluated(value);
    if (found === undefined) continue;
    try {
      const line = fieldValueOf(found);
      if (line !== '') text += `${name}: ${line}\r\n`;
    } catch (error) {
      if (!(error instanceof UnsafeValue)) throw error;
      return { unsafe: rule, reason: `${name} cannot be sent: ${error.message}` };
    }
  }
  return { text };
}

function evaluated(value: Value['value']) {
  try {
    return value();
  } catch {
    // "No such key" is the usual way of a claim that is not there.
    return undefined;
  }
}
