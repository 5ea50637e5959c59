import { hash } from 'node:crypto';
import type { IdentityFields } from '@gatehouse/crds';
import { errorReply } from '../../http1/reply.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { now } from '../../state/clock.ts';
import {
  type Effects,
  type LinkContext,
  LinkFault,
  type Outcome,
  type RuleInForce,
} from '../filter.ts';
import { clientCredentials, secretText } from './client-credentials.ts';
import { createExpiringCache } from './expiring-cache.ts';
import { postForm } from './token-endpoint.ts';
import { createTurns } from './turns.ts';
import { reasonOf, unavailableReply } from './unavailable.ts';

/** Puts a token for the upstream in place of the client's (RFC 8693). */
export type TokenExchange = (
  token: string,
  head: RequestHead,
  effects: Effects,
) => Outcome | Promise<Outcome>;

/** Milliseconds for one exchange. */
const timeout = 5000;
/** Tokens whose exchange is remembered. */
const mostTokens = 10_000;
/** Milliseconds for which it is: without a lifetime, before its end, and after a refusal. */
const kept = { unknown: 60_000, early: 10_000, refused: 5000 };
/** Exchanges at the same time, and those that wait. */
const limits = { running: 16, waiting: 256 };

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

/** The new token, or why the server gives none. */
type Answer = { token: string } | { refused: string };

/** @throws LinkFault */
export function linkTokenExchange(
  config: NonNullable<IdentityFields['exchange']>,
  rule: RuleInForce,
  context: LinkContext,
): TokenExchange {
  const namespace = rule.policy.slice(0, rule.policy.indexOf('/'));
  const { url, clientId, clientSecretRef: ref, audience, scope } = config;
  if (!URL.canParse(url)) throw new LinkFault('identity.exchange.url', 'is not a URL');
  const about = { namespace, secret: context.secret };
  const secret = ref && secretText(ref, 'clientSecret', 'identity.exchange.clientSecretRef', about);
  const credentials = clientCredentials(clientId, secret);
  const { outbound } = context.thread;
  const answers = createExpiringCache<Answer>(mostTokens);
  const underWay = new Map<string, Promise<Answer>>();
  const turns = createTurns(limits);

  async function ask(token: string): Promise<{ answer: Answer; keep: number }> {
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: accessToken,
      requested_token_type: accessToken,
      ...(audience === undefined ? {} : { audience }),
      ...(scope === undefined ? {} : { scope }),
    };
    const { status, json } = await postForm(outbound, url, credentials, form, timeout);
    if (status === 400 || status === 401 || status === 403) {
      return { answer: { refused: codeIn(json) }, keep: kept.refused };
    }
    if (status !== 200) throw new Error(`the answer is ${status}`);
    return { answer: { token: tokenIn(json) }, keep: lifetimeIn(json) };
  }

  function answerFor(token: string): Answer | Promise<Answer> {
    const key = hash('sha256', token, 'base64');
    const known = answers.get(key, now()) ?? underWay.get(key);
    if (known) return known;
    const asked = turns.take(() => ask(token));
    if (!asked) throw new Error('too many exchanges wait');
    const settled = asked
      .then(({ answer, keep }) => {
        if (keep > 0) answers.set(key, answer, now() + keep);
        return answer;
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, settled);
    return settled;
  }

  function apply(answer: Answer, effects: Effects): Outcome {
    if ('token' in answer) {
      effects.upstreamFields += `authorization: Bearer ${answer.token}\r\n`;
      return undefined;
    }
    const reply = errorReply(500, 'Policy cannot be enforced');
    return { kind: 'error', reply, rule, reason: `the token is not exchanged: ${answer.refused}` };
  }

  function failed(error: unknown): Outcome {
    const reason = `the token cannot be exchanged: ${reasonOf(error)}`;
    return { kind: 'error', reply: unavailableReply(), rule, reason };
  }

  return (token, head, effects) => {
    // Whatever the client wrote there: the upstream gets one Authorization, ours.
    effects.hidden = [...(effects.hidden ?? []), ...head.linesOf('authorization')];
    try {
      const answer = answerFor(token);
      if (!(answer instanceof Promise)) return apply(answer, effects);
      return answer.then((late) => apply(late, effects), failed);
    } catch (error) {
      return failed(error);
    }
  };
}

/** RFC 8693 section 2.2.1. */
function tokenIn({ access_token: token, token_type: type }: Record<string, unknown>): string {
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw new Error('the answer has no token of type Bearer');
  }
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error('the answer has no access_token that can be sent');
  }
  return token;
}

function lifetimeIn({ expires_in: seconds }: Record<string, unknown>): number {
  if (seconds === undefined) return kept.unknown;
  const lifetime = Number(seconds) * 1000 - kept.early;
  return Number.isFinite(lifetime) ? lifetime : 0;
}

/** RFC 6749 section 5.2; what is no code may be anything. */
function codeIn({ error }: Record<string, unknown>): string {
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : 'an unknown error';
}
