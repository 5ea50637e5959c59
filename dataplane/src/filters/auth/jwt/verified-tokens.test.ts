import type { KeySet } from '@gatehouse/crds';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../identity.ts';
import { type KeySource, VerifiedTokens } from './verified-tokens.ts';

const keySet = (): KeySet => ({ keys: [], byKid: new Map(), faults: [] });
const source = () => ({ keys: keySet() as KeySet | undefined });
const identity = (sub: string) => identityOf('users', { sub });
const never = Number.POSITIVE_INFINITY;
const small = (entries: number, bytes = 1 << 20) => new VerifiedTokens({ entries, bytes });

describe('verified tokens', () => {
  it('give the very identity that was kept, until it expires', () => {
    const all = small(10);
    const [cache, keys, alice] = [all.open(), source(), identity('alice')];
    const until = Date.now() + 1000;
    cache.put('a', alice, until, keys);
    expect(cache.get('a', until - 1)).toBe(alice);
    expect(cache.get('b', 0)).toBeUndefined();
    expect(cache.get('a', until)).toBeUndefined();
    expect([cache.get('a', 0), all.size]).toEqual([undefined, 0]);
  });

  it('are not kept when they have expired already, or their keys have gone', () => {
    const all = small(10);
    all.open().put('a', identity('a'), Date.now(), source());
    all.open().put('b', identity('b'), never, { keys: undefined });
    expect(all.size).toBe(0);
  });

  it('count no more once the key set is another', () => {
    const all = small(10);
    const cache = all.open();
    const [rotating, other] = [source(), source()];
    cache.put('a', identity('a'), never, rotating);
    cache.put('b', identity('b'), never, other);
    rotating.keys = keySet();
    expect([cache.get('a', 0), cache.get('b', 0)?.id, all.size]).toEqual([undefined, 'b', 1]);
  });

  it('of one method are unknown to another', () => {
    const all = small(10);
    const keys = source();
    all.open().put('a', identity('a'), never, keys);
    expect(all.open().get('a', 0)).toBeUndefined();
  });

  it('that are asked for outlive those that are not', () => {
    const all = small(100);
    const [cache, keys] = [all.open(), source()];
    for (let i = 0; i < 5000; i++) {
      cache.put(`once${i}`, identity('once'), never, keys);
      if (i === 0) cache.put('often', identity('often'), never, keys);
      expect(cache.get('often', 0)?.id).toBe('often');
    }
    expect(all.size).toBe(100);
  });

  it('of a key set that has gone leave first, used or not', () => {
    const all = small(4);
    const [cache, gone, keys] = [all.open(), source(), source()];
    for (const name of ['a', 'b']) cache.put(name, identity(name), never, gone);
    for (const name of ['c', 'd']) cache.put(name, identity(name), never, keys);
    for (const name of ['a', 'b', 'c', 'd']) cache.get(name, 0);
    gone.keys = keySet();
    cache.put('e', identity('e'), never, keys);
    cache.put('f', identity('f'), never, keys);
    expect(['c', 'd', 'e', 'f'].map((name) => cache.get(name, 0)?.id)).toEqual([
      'c',
      'd',
      'e',
      'f',
    ]);
  });

  it('stay within their bytes', () => {
    const all = small(1000, 100_000);
    const [cache, keys] = [all.open(), source()];
    const long = 'x'.repeat(10_000);
    for (let i = 0; i < 10; i++) cache.put(`${long}${i}`, identity('long'), never, keys);
    expect(all.size).toBe(3);
    for (let i = 0; i < 200; i++) cache.put(`short${i}`, identity('short'), never, keys);
    expect(all.size).toBeGreaterThan(90);
    cache.put('x'.repeat(200_000), identity('huge'), never, keys);
    expect(cache.get('x'.repeat(200_000), 0)).toBeUndefined();
    expect(all.size).toBeGreaterThan(90);
  });

  it('never give an identity that was not kept for the token, whatever happens', () => {
    const token = fc.integer({ min: 0, max: 12 }).map(String);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), method: fc.nat(1), token, until: fc.nat(20) }),
      fc.record({ kind: fc.constant('get' as const), method: fc.nat(1), token, until: fc.nat(20) }),
      fc.record({
        kind: fc.constant('rotate' as const),
        method: fc.nat(1),
        token,
        until: fc.nat(20),
      }),
    );
    const start = Date.now() + 3_600_000;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 60 }),
        (most, steps) => {
          const all = small(most);
          const methods = [0, 1].map(() => ({
            cache: all.open(),
            keys: source() as { keys: KeySet | undefined } & KeySource,
            known: new Map<string, { id: string; until: number }>(),
          }));
          for (const [index, { kind, method, token: text, until }] of steps.entries()) {
            const { cache, keys, known } = methods[method]!;
            if (kind === 'rotate') {
              keys.keys = keySet();
              known.clear();
            } else if (kind === 'put') {
              cache.put(text, identity(`${index}`), start + until, keys);
              known.set(text, { id: `${index}`, until: start + until });
            } else {
              const found = cache.get(text, start + until);
              const expected = known.get(text);
              if (found)
                expect([found.id, start + until < (expected?.until ?? 0)]).toEqual([
                  expected?.id,
                  true,
                ]);
            }
            expect(all.size).toBeLessThanOrEqual(most);
          }
        },
      ),
    );
  });
});
