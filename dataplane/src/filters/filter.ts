import type { ExpressionScope } from '@gatehouse/crds';
import type { Exchange } from '../exchange/exchange.ts';
import type { Reply } from '../http1/reply.ts';
import type { ThreadState } from './thread-state.ts';

/** A step between match and action. It decides without waiting where it can. */
export type Filter = {
  /** Undefined: the request goes on. A reply ends the exchange. */
  onRequest(exchange: Exchange): Reply | undefined | Promise<Reply | undefined>;
};

/** Who the client is, as an AuthPolicy found out. */
export type Identity = {
  /** Name of the method that established it; '' for nobody in particular. */
  method: string;
  id: string;
  roles: readonly string[];
  scopes: readonly string[];
  /** Name of the Consumer; '' when there is none. */
  consumer: string;
  plan: string;
  claims: Readonly<Record<string, unknown>>;
};

/** What a filter may change. An exchange is one; a judgement that is not enforced gets one of its own. */
export type Effects = {
  identity: Identity | undefined;
  /** Complete field lines, each ended by CRLF, that the upstream gets. */
  upstreamFields: string;
  /** Complete field lines, each ended by CRLF, that the client gets with any answer. */
  responseFields: string;
  /** Indices of field lines of the request that the upstream does not get. */
  hidden: number[] | undefined;
  /** The query that the upstream gets in place of the client's, without "?". */
  query: string | undefined;
  /** Called once when the exchange has ended, however it did. */
  atEnd: ((exchange: Exchange) => void)[] | undefined;
};

export function noEffects(): Effects {
  return {
    identity: undefined,
    upstreamFields: '',
    responseFields: '',
    hidden: undefined,
    query: undefined,
    atEnd: undefined,
  };
}

/** Why a request does not go on. */
export type Denial = {
  reply: Reply;
  /** What decided. */
  rule: RuleInForce;
  /** For the log, never for the client; holds nothing secret. */
  reason: string;
  /** `error`: it could not be decided, which is as good as no. */
  kind: 'denied' | 'error';
};

export type Outcome = Denial | undefined;

/** A rule as the controller sent it. */
export type RuleInForce = {
  block: string;
  name: string;
  /** "<namespace>/<name>" of the policy it comes from. */
  policy: string;
  /** What that policy is attached to: what the rule counts, it counts for each target. */
  target: string;
  /** Valid by the schema of its block. */
  config: unknown;
};

/** Rules that are in force together, ready to judge requests. */
export type Enforcer = {
  /**
   * The head of the exchange is read before the first wait, or while the exchange waits for it;
   * a rejection is a bug and answers 500.
   */
  onRequest(exchange: Exchange, effects: Effects): Outcome | Promise<Outcome>;
};

/** What a kind of policy does on the request path; see registry.ts. */
export type FilterKind = {
  kind: string;
  /** What `when` may speak of. */
  whenScope: ExpressionScope;
  /** @throws LinkFault when a rule cannot be put to work. */
  link(rules: readonly RuleInForce[], context: LinkContext): Enforcer;
};

export type LinkContext = {
  /** "<kind>/<scope>" of the Policy resource: a name for state that outlives a swap. */
  resource: string;
  /** Entries of a Secret resource by name; undefined when the snapshot has none. */
  secret(name: string): Readonly<Record<string, Uint8Array>> | undefined;
  /**
   * Runs `start` when the policy comes into force, and what it returns when it is in force no more. Rules
   * are linked more than once, and not all that is linked comes into force: of one key the first counts.
   */
  whileInForce(key: string, start: () => () => void): void;
  thread: ThreadState;
  /** Where the policy is in force, clients are asked for certificates of these authorities (PEM). */
  askForCertificates(authorities: string): void;
};

/** What is wrong with a rule; its resource is refused, and the controller says so in the status. */
export class LinkFault extends Error {
  /** Of the rule in the spec, e.g. "authentication[users].jwt.inline". */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(reason);
    this.path = path;
  }
}
