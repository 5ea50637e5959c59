import { createHmac, randomBytes } from 'node:crypto';
import { type PasswordHash, parseHtpasswd } from '@gatehouse/crds';
import { policySecretName } from '@gatehouse/snapshot';
import { now } from '../../../state/clock.ts';
import { type Identity, LinkFault } from '../../filter.ts';
import { decodeUserPass, type UserPass } from '../basic/user-pass.ts';
import { credentialReader, withoutValue } from '../credential.ts';
import { createExpiringCache } from '../expiring-cache.ts';
import type { Attempt, LinkMethod } from '../method.ts';
import { reasonOf, unavailable } from '../unavailable.ts';

/** Milliseconds for which a password that was good is not compared again, and how many of them. */
const goodFor = 60_000;
const mostGood = 1024;

const readCredential = credentialReader([{ header: 'authorization', scheme: 'Basic' }]);

type Known = { hash: PasswordHash; identity: Identity };

/** User and password by HTTP Basic (RFC 7617), UTF-8 only. */
export const linkBasic: LinkMethod<'basic'> = (config, context) => {
  const { name, key = 'auth' } = config.secretRef;
  const text = context.secret(policySecretName(context.namespace, name, key))?.[key];
  if (!text) throw new LinkFault('secretRef', 'is not in the snapshot');
  const { users, faults } = parseHtpasswd(text);
  const [fault] = faults;
  if (fault) throw new LinkFault('secretRef', `line ${fault.line} ${fault.reason}`);
  const known = new Map<string, Known>();
  for (const [user, hash] of users) known.set(user, { hash, identity: identityOf(user) });
  const all = [...known.values()];
  const { passwords } = context.thread;
  const cacheKey = randomBytes(32);
  const good = createExpiringCache<Identity>(mostGood);
  /** Comparisons under way: a page asks for many things at the same time. */
  const underWay = new Map<string, Promise<Attempt>>();

  function identityOf(user: string): Identity {
    const nothing = { roles: [], scopes: [], consumer: '', plan: '' };
    return { method: context.name, id: user, ...nothing, claims: { sub: user } };
  }

  /**
   * Stands in for a user that there is not: a hash of the file, always the same for a name, so that
   * an answer takes as long as for some user of the file.
   */
  function standIn(user: string): Known | undefined {
    const digest = createHmac('sha256', text ?? '')
      .update(user)
      .digest();
    return all[digest.readUInt32LE(0) % all.length];
  }

  function compare({ user, password }: UserPass): Attempt | Promise<Attempt> {
    const entry = known.get(user);
    const { hash } = entry ?? standIn(user) ?? {};
    if (!hash) return refused('there are no users');
    const matches = passwords.match(password, hash);
    if (matches === 'busy') return unavailable('too many passwords wait to be compared');
    const judge = (match: boolean): Attempt => {
      if (!entry) return refused('the user is not known');
      if (!match) return refused('the password is wrong');
      return { kind: 'identified', identity: entry.identity };
    };
    return typeof matches === 'boolean' ? judge(matches) : matches.then(judge, failed);
  }

  function attempt(value: string): Attempt | Promise<Attempt> {
    const mac = createHmac('sha256', cacheKey).update(value).digest('base64');
    const identity = good.get(mac, now());
    if (identity) return { kind: 'identified', identity };
    const running = underWay.get(mac);
    if (running) return running;
    const userPass = decodeUserPass(value);
    if (!userPass) return refused('the credentials are malformed');
    const found = compare(userPass);
    if (!(found instanceof Promise)) return found;
    const settled = found.then((outcome) => {
      underWay.delete(mac);
      if (outcome.kind === 'identified') good.set(mac, outcome.identity, now() + goodFor);
      return outcome;
    });
    underWay.set(mac, settled);
    return settled;
  }

  return {
    name: context.name,
    challenge: `Basic realm="${config.realm ?? 'gatehouse'}", charset="UTF-8"`,
    attempt(exchange) {
      const credential = readCredential(exchange);
      if (credential === undefined) return { kind: 'missing' };
      if (credential === 'ambiguous') return refused('there are two credentials');
      const found = attempt(credential.value);
      const withCredential = (outcome: Attempt): Attempt =>
        outcome.kind === 'identified'
          ? { ...outcome, credential: withoutValue(credential) }
          : outcome;
      return found instanceof Promise ? found.then(withCredential) : withCredential(found);
    },
  };
};

function refused(reason: string): Attempt {
  return { kind: 'invalid', reason };
}

function failed(error: unknown): Attempt {
  return unavailable(`the password cannot be compared: ${reasonOf(error)}`);
}
