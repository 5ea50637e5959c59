import { argon2, createHash, timingSafeEqual } from 'node:crypto';
import type { PasswordHash } from '@gatehouse/crds';
import { createTurns, type Turns } from '../turns.ts';
import { type Bcrypt, createBcrypt } from './bcrypt.ts';

/** Compares passwords with hashes; one for all policies of a thread. */
export type Passwords = {
  /**
   * At once where the hash is cheap. 'busy': too many wait already.
   * @throws Error when the comparison fails
   */
  match(password: Uint8Array, hash: PasswordHash): boolean | 'busy' | Promise<boolean>;
};

/**
 * Costly comparisons take turns, off the event loop: a flood of passwords occupies one core a thread at
 * most, and the line behind it is short enough that those in it are still answered.
 */
const waiting = 64;

export function createPasswords(): Passwords {
  const turns: Turns = createTurns({ running: 1, waiting });
  const bcrypt: Bcrypt = createBcrypt();
  return {
    match(password, hash) {
      switch (hash.scheme) {
        case 'sha1': {
          const digest = createHash('sha1').update(password).update(hash.salt).digest();
          return timingSafeEqual(digest, hash.digest);
        }
        case 'argon2id':
          return turns.take(() => matchesArgon2(password, hash)) ?? 'busy';
        case 'bcrypt':
          return turns.take(() => bcrypt.matches(password, hash.text)) ?? 'busy';
      }
    },
  };
}

/** Runs in the thread pool of libuv. */
function matchesArgon2(
  message: Uint8Array,
  hash: Extract<PasswordHash, { scheme: 'argon2id' }>,
): Promise<boolean> {
  const { memory, passes, parallelism, salt: nonce, tag } = hash;
  return new Promise((resolve, reject) => {
    const parameters = { message, nonce, parallelism, memory, passes, tagLength: tag.length };
    argon2('argon2id', parameters, (error, found) => {
      if (error) reject(error);
      else resolve(timingSafeEqual(found, tag));
    });
  });
}
