import type { AuthorizationRule } from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import { errorReply, type Reply } from '../../http1/reply.ts';
import type {
  Denial,
  Effects,
  Enforcer,
  FilterKind,
  Identity,
  LinkContext,
  Outcome,
  RuleInForce,
} from '../filter.ts';
import { type Authorize, linkAuthorization } from './authorization.ts';
import { anonymous } from './identity.ts';
import type { Attempt, Method } from './method.ts';
import { linkMethod } from './methods.ts';
import { linkUpstreamIdentity, type UpstreamIdentity } from './upstream-identity.ts';

/** AuthPolicy: who the client is, whether it may, and what the upstream learns of it. */
export const authentication: FilterKind = {
  kind: 'AuthPolicy',
  whenScope: 'request',
  link: (rules, context) => new AuthEnforcer(rules, context),
};

type Identified = Extract<Attempt, { kind: 'identified' }>;
type LinkedMethod = { rule: RuleInForce; method: Method };
type LinkedCheck = { rule: RuleInForce; authorize: Authorize };

class AuthEnforcer implements Enforcer {
  readonly #methods: readonly LinkedMethod[];
  readonly #checks: readonly LinkedCheck[];
  readonly #upstream: UpstreamIdentity;
  readonly #missing: Reply;
  readonly #invalid: Reply;

  constructor(rules: readonly RuleInForce[], context: LinkContext) {
    const inBlock = (block: string) => rules.filter((rule) => rule.block === block);
    // Behind what lets everybody in nothing is tried: a Route that adds it must not shut out a Gateway's.
    this.#methods = inBlock('authentication')
      .sort((a, b) => Number(isAnonymous(a)) - Number(isAnonymous(b)))
      .map((rule) => ({ rule, method: linkMethod(rule, context) }));
    this.#checks = inBlock('authorization').map((rule) => {
      return { rule, authorize: linkAuthorization(rule.name, rule.config as AuthorizationRule) };
    });
    this.#upstream = linkUpstreamIdentity(inBlock('identity'), context);
    const challenges = this.#methods.map(({ method }) => method.challenge).filter(Boolean);
    this.#missing = unauthorized('Missing authentication token', challenges);
    this.#invalid = unauthorized(
      'Invalid token',
      challenges.map((challenge) => withError(challenge)),
    );
  }

  onRequest(exchange: Exchange, effects: Effects): Outcome | Promise<Outcome> {
    return this.#try(0, undefined, exchange, effects);
  }

  /** Tries the methods from `from` on; `invalid` is what an earlier one did not accept. */
  #try(
    from: number,
    invalid: Denial | undefined,
    exchange: Exchange,
    effects: Effects,
  ): Outcome | Promise<Outcome> {
    let refused = invalid;
    for (let i = from; i < this.#methods.length; i++) {
      const linked = this.#methods[i];
      if (!linked) break;
      // Nobody becomes anonymous by bringing a credential that is not valid.
      if (refused && linked.method.challenge === '' && isAnonymous(linked.rule)) break;
      const attempt = linked.method.attempt(exchange);
      if (attempt instanceof Promise) {
        return attempt.then((late) => {
          const next = this.#judge(linked.rule, late, exchange, effects);
          if (next !== 'next') return next;
          return this.#try(i + 1, refused ?? this.#refusal(linked.rule, late), exchange, effects);
        });
      }
      const outcome = this.#judge(linked.rule, attempt, exchange, effects);
      if (outcome !== 'next') return outcome;
      refused ??= this.#refusal(linked.rule, attempt);
    }
    if (refused) return refused;
    const [first] = this.#methods;
    // Without any method the policy only authorizes.
    if (!first)
      return this.#authorize({ kind: 'identified', identity: anonymous }, exchange, effects);
    return { kind: 'denied', reply: this.#missing, rule: first.rule, reason: 'no credential' };
  }

  #judge(
    rule: RuleInForce,
    attempt: Attempt,
    exchange: Exchange,
    effects: Effects,
  ): Outcome | Promise<Outcome> | 'next' {
    switch (attempt.kind) {
      case 'missing':
      case 'invalid':
        return 'next';
      case 'identified':
        return this.#authorize(attempt, exchange, effects);
      case 'answered':
        return { kind: 'denied', reply: attempt.reply, rule, reason: attempt.reason };
      case 'unavailable': {
        const reply = attempt.reply ?? errorReply(500, 'Policy cannot be enforced');
        return { kind: 'error', reply, rule, reason: attempt.reason };
      }
    }
  }

  #refusal(rule: RuleInForce, attempt: Attempt): Denial | undefined {
    if (attempt.kind !== 'invalid') return undefined;
    return { kind: 'denied', reply: this.#invalid, rule, reason: attempt.reason };
  }

  #authorize(found: Identified, exchange: Exchange, effects: Effects) {
    const { identity } = found;
    for (const { rule, authorize } of this.#checks) {
      const reason = authorize(exchange, identity);
      if (reason === undefined) continue;
      return { kind: 'denied' as const, reply: errorReply(403, 'Forbidden'), rule, reason };
    }
    return this.#identify(identity, found, exchange, effects);
  }

  #identify(identity: Identity, found: Identified, exchange: Exchange, effects: Effects) {
    effects.identity = identity;
    if (found.responseFields) effects.responseFields += found.responseFields;
    if (found.upstreamFields) effects.upstreamFields += found.upstreamFields;
    if (found.hidden) effects.hidden = [...(effects.hidden ?? []), ...found.hidden];
    return this.#upstream.apply(exchange, effects, identity, found.credential);
  }
}

function isAnonymous({ config }: RuleInForce): boolean {
  return typeof config === 'object' && config !== null && 'anonymous' in config;
}

function unauthorized(error: string, challenges: readonly string[]): Reply {
  const reply = errorReply(401, error);
  const fields = [...new Set(challenges)].map((challenge) => `www-authenticate: ${challenge}\r\n`);
  return { ...reply, fields: reply.fields + fields.join('') };
}

/** RFC 6750 section 3.1. */
function withError(challenge: string): string {
  if (!challenge.startsWith('Bearer')) return challenge;
  return `${challenge}${challenge.includes('=') ? ',' : ''} error="invalid_token"`;
}
