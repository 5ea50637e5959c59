import { hash } from 'node:crypto';
import { defaults, parseDuration } from '@gatehouse/crds';
import { now } from '../../../state/clock.ts';
import type { Identity } from '../../filter.ts';
import { clientCredentials, secretText } from '../client-credentials.ts';
import { bearer, credentialReader } from '../credential.ts';
import { createExpiringCache } from '../expiring-cache.ts';
import { identityOf } from '../identity.ts';
import type { Attempt, LinkMethod } from '../method.ts';
import { postForm } from '../token-endpoint.ts';
import { createTurns } from '../turns.ts';
import { reasonOf, unavailable } from '../unavailable.ts';

/** Tokens whose answers are kept, and the milliseconds for which "not active" is. */
const mostTokens = 10_000;
const refusedFor = 5000;
/** Questions at the same time, and those that wait for it; their time runs meanwhile. */
const limits = { running: 16, waiting: 256 };

/** What the issuer said: the identity, or why there is none. */
type Verdict = { identity: Identity } | { refused: string };

/** A token that its issuer is asked about (RFC 7662). */
export const linkIntrospection: LinkMethod<'introspection'> = (config, context) => {
  const { clientSecretRef: ref } = config;
  const secret = ref && secretText(ref, 'clientSecret', 'clientSecretRef', context);
  const credentials = clientCredentials(config.clientId, secret);
  const read = credentialReader(config.from ?? bearer);
  const keep = parseDuration(config.cache ?? defaults.introspectionCache);
  const timeout = parseDuration(config.timeout ?? defaults.externalTimeout);
  const verdicts = createExpiringCache<Verdict>(mostTokens);
  /** Questions under way: nobody asks twice at the same time. */
  const underWay = new Map<string, Promise<Verdict>>();
  const turns = createTurns(limits);

  async function ask(token: string, deadline: number): Promise<Verdict> {
    const left = deadline - now();
    if (left <= 0) throw new Error(`no answer within ${timeout} ms`);
    const form = { token, token_type_hint: 'access_token' };
    const { outbound } = context.thread;
    const { status, json } = await postForm(
      outbound,
      config.url,
      credentials,
      form,
      Math.ceil(left),
    );
    if (status !== 200) throw new Error(`the answer is ${status}`);
    return verdictOf(json);
  }

  /** RFC 7662 section 2.2. */
  function verdictOf(json: Record<string, unknown>): Verdict {
    if (typeof json.active !== 'boolean') throw new Error('the answer has no "active"');
    if (!json.active) return { refused: 'the issuer says that the token is not active' };
    const seconds = json.exp;
    if (typeof seconds === 'number' && seconds * 1000 <= Date.now()) {
      return { refused: 'the token has expired' };
    }
    return { identity: identityOf(context.name, json) };
  }

  function remember(key: string, verdict: Verdict) {
    let until = now() + keep;
    if ('refused' in verdict) until = now() + Math.min(keep, refusedFor);
    else if (typeof verdict.identity.claims.exp === 'number') {
      until = Math.min(until, now() + verdict.identity.claims.exp * 1000 - Date.now());
    }
    if (until > now()) verdicts.set(key, verdict, until);
  }

  function verdictFor(token: string): Verdict | Promise<Verdict> {
    const key = hash('sha256', token, 'base64');
    const known = verdicts.get(key, now()) ?? underWay.get(key);
    if (known) return known;
    const deadline = now() + timeout;
    const asked = turns.take(() => ask(token, deadline));
    if (!asked) throw new Error('too many questions wait');
    const settled = asked
      .then((verdict) => {
        remember(key, verdict);
        return verdict;
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, settled);
    return settled;
  }

  return {
    name: context.name,
    challenge: 'Bearer realm="gatehouse"',
    attempt(exchange) {
      const credential = read(exchange);
      if (credential === undefined) return { kind: 'missing' };
      if (credential === 'ambiguous') return { kind: 'invalid', reason: 'the token is sent twice' };
      // RFC 6749 appendix A.12.
      if (!/^[\x20-\x7e]+$/.test(credential.value)) {
        return { kind: 'invalid', reason: 'the token holds other than visible ASCII' };
      }
      const judge = (verdict: Verdict): Attempt =>
        'refused' in verdict
          ? { kind: 'invalid', reason: verdict.refused }
          : { kind: 'identified', identity: verdict.identity, credential };
      try {
        const verdict = verdictFor(credential.value);
        return verdict instanceof Promise ? verdict.then(judge, noVerdict) : judge(verdict);
      } catch (error) {
        return noVerdict(error);
      }
    },
  };
};

function noVerdict(error: unknown): Attempt {
  return unavailable(`the token cannot be introspected: ${reasonOf(error)}`);
}
