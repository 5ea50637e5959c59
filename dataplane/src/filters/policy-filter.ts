import { pathText, policyRuleProblems } from '@gatehouse/crds';
import { type Policy, type PolicyRule, rulesInForce } from '@gatehouse/snapshot';
import type { Exchange } from '../exchange/exchange.ts';
import { type Applicability, applicabilityOf } from './applicability.ts';
import { notEnforceable } from './broken.ts';
import { countDecisions, type Decisions } from './decisions.ts';
import {
  type Denial,
  type Effects,
  type Enforcer,
  type Filter,
  type FilterKind,
  type LinkContext,
  LinkFault,
  noEffects,
  type Outcome,
  type RuleInForce,
} from './filter.ts';

/** Policies that meet in one scope; bits of a small integer say which of them apply. */
const mostOrigins = 30;

/**
 * The filter of a Policy resource: finds out which policies apply to a request and asks the enforcer of
 * the rules that are in force then. Policies in shadow are judged apart and never change the answer.
 * @throws LinkFault when some rule cannot be put to work, even one that others replace.
 */
export function linkPolicy(policy: Policy, kind: FilterKind, context: LinkContext): Filter {
  if (policy.origins.length > mostOrigins) {
    throw new LinkFault('origins', `more than ${mostOrigins} policies meet here`);
  }
  const rules = policy.rules.map((rule) => checked(policy, rule));
  for (const rule of rules) kind.link([rule.rule], context);
  return new PolicyFilter(policy, kind, context, rules);
}

type CheckedRule = { wire: PolicyRule; rule: RuleInForce };

function checked(policy: Policy, wire: PolicyRule): CheckedRule {
  const path = `${wire.block}[${wire.name}]`;
  const config: unknown = JSON.parse(wire.config);
  const [problem] = policyRuleProblems(policy.kind, wire.block, config);
  if (problem) throw new LinkFault(`${path}.${pathText(problem.path)}`, problem.message);
  const origin = policy.origins[wire.origin]?.name;
  if (origin === undefined) throw new LinkFault(path, 'comes from no policy');
  const { block, name, target } = wire;
  return { wire, rule: { block, name, policy: origin, target, config } };
}

class PolicyFilter implements Filter {
  readonly #kind: FilterKind;
  readonly #context: LinkContext;
  readonly #rules: readonly CheckedRule[];
  readonly #origins: readonly Applicability[];
  readonly #decisions: Decisions;
  /** Enforcers by the bit set of policies that apply. */
  readonly #variants = new Map<number, Enforcer>();
  /** Bits of the policies that apply to every request, of those that have conditions, and of those in shadow. */
  readonly #always: number;
  readonly #shadow: number;
  readonly #conditional: boolean;

  constructor(
    policy: Policy,
    kind: FilterKind,
    context: LinkContext,
    rules: readonly CheckedRule[],
  ) {
    this.#kind = kind;
    this.#context = context;
    this.#rules = rules;
    this.#origins = policy.origins.map((origin, index) => {
      try {
        return applicabilityOf(origin, kind.whenScope);
      } catch (error) {
        throw new LinkFault(`origins[${index}].when`, String(error));
      }
    });
    this.#decisions = countDecisions(policy, context.thread);
    this.#always = bits(this.#origins, ({ applies }) => applies === undefined);
    this.#shadow = bits(this.#origins, ({ shadow }) => shadow);
    this.#conditional = this.#origins.some(({ applies }) => applies !== undefined);
    this.#enforcerOf(this.#always & ~this.#shadow);
  }

  onRequest(exchange: Exchange) {
    let applying = this.#always;
    if (this.#conditional) {
      const found = this.#applying(exchange);
      if (found === undefined) return notEnforceable();
      applying = found;
    }
    if ((applying & this.#shadow) !== 0) return this.#withShadow(exchange, applying);
    return this.#judge(exchange, applying);
  }

  /** Undefined when a condition cannot be evaluated: nobody knows then what is in force. */
  #applying(exchange: Exchange): number | undefined {
    let applying = this.#always;
    for (const [index, { applies }] of this.#origins.entries()) {
      if (!applies) continue;
      try {
        if (applies(exchange)) applying |= 1 << index;
      } catch (error) {
        this.#decisions.failed(exchange, index, error);
        return undefined;
      }
    }
    return applying;
  }

  #judge(exchange: Exchange, applying: number) {
    const enforcer = this.#enforcerOf(applying);
    if (!enforcer) return undefined;
    const outcome = enforcer.onRequest(exchange, exchange);
    if (outcome instanceof Promise) {
      return outcome.then((late) => this.#decided(exchange, applying, late));
    }
    return this.#decided(exchange, applying, outcome);
  }

  #decided(exchange: Exchange, applying: number, outcome: Outcome) {
    if (outcome === undefined) {
      this.#decisions.allowed(applying);
      return undefined;
    }
    this.#decisions.denied(exchange, outcome, false);
    return outcome.reply;
  }

  async #withShadow(exchange: Exchange, applying: number) {
    const effects: Effects = noEffects();
    const denial: Denial | undefined = await this.#enforcerOf(applying)?.onRequest(
      exchange,
      effects,
    );
    // What it took for a while is given back, enforced or not.
    if (effects.atEnd) {
      if (exchange.endedAt === 0) exchange.atEnd = [...(exchange.atEnd ?? []), ...effects.atEnd];
      else for (const ended of effects.atEnd) ended(exchange);
    }
    const reply = await this.#judge(exchange, applying & ~this.#shadow);
    // Whom others refuse already tells nothing about a policy on trial.
    if (denial && !reply) this.#decisions.denied(exchange, denial, true);
    return reply;
  }

  /** Undefined when no policy applies. Linked when it is first needed: its rules were tried before. */
  #enforcerOf(applying: number): Enforcer | undefined {
    if (applying === 0) return undefined;
    let enforcer = this.#variants.get(applying);
    if (!enforcer) {
      const inForce = rulesInForce(
        this.#rules.map(({ wire }) => wire),
        applying,
      );
      const rules = this.#rules.filter(({ wire }) => inForce.includes(wire));
      enforcer = this.#kind.link(
        rules.map(({ rule }) => rule),
        this.#context,
      );
      this.#variants.set(applying, enforcer);
    }
    return enforcer;
  }
}

function bits<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.reduce((set, item, index) => (holds(item) ? set | (1 << index) : set), 0);
}
