import type { Counting, Limit } from '@gatehouse/crds';
import { describe, expect, it } from 'vitest';
import { rateLimit } from './rate-limit.ts';
import { findingsOf, type TestObjects } from './testing.ts';

const rates = [{ limit: 60, window: '1m' }];
const findings = (
  limits: Record<string, Limit>,
  counting?: Counting,
  objects: TestObjects = { secrets: { redis: { password: 'x' } } },
) => {
  const fields = { limits, ...(counting ? { counting } : {}) };
  return findingsOf((context) => rateLimit.rulesOf(fields, 'spec', context), objects);
};
const ofLimit = (limit: Limit) => findings({ a: limit }).mistakes;

describe('a limit', () => {
  it.each<[string, Limit]>([
    ['with a burst', { rates, burst: 100 }],
    ['of several rates', { rates: [...rates, { limit: 1, window: '576h' }] }],
    ['of nothing', { rates: [{ limit: 0, window: '1s' }] }],
    [
      'with expressions',
      { rates, counters: ['identity.id', 'request.path'], cost: '2', when: 'true' },
    ],
    ['that adapts', { rates, adaptive: { priority: 'identity.plan == "gold" ? 1.0 : 0.0' } }],
  ])('%s is taken', (_, limit) => expect(ofLimit(limit)).toEqual([]));

  it.each<[string, Limit, RegExp]>([
    [
      'a window of nothing',
      { rates: [{ limit: 1, window: '0s' }] },
      /^spec\.limits\.a\.rates\[0\]\.window: "0s" must be from "1s" to "576h"$/,
    ],
    [
      'a window that is too short',
      { rates: [{ limit: 1, window: '999ms' }] },
      /rates\[0\]\.window/,
    ],
    [
      'a window that is too long',
      { rates: [...rates, { limit: 1, window: '577h' }] },
      /rates\[1\]\.window/,
    ],
    [
      'an unknown counter',
      { rates, counters: ['identity.nobody'] },
      /^spec\.limits\.a\.counters\[0\]: .*nobody/,
    ],
    [
      'a counter that is no text',
      { rates, counters: ['true'] },
      /^spec\.limits\.a\.counters\[0\]: /,
    ],
    ['a cost that is no number', { rates, cost: '"a"' }, /^spec\.limits\.a\.cost: /],
    ['a condition that is none', { rates, when: '1 +' }, /^spec\.limits\.a\.when: /],
    [
      'a priority that is no number',
      { rates, adaptive: { priority: 'true' } },
      /^spec\.limits\.a\.adaptive\.priority: /,
    ],
  ])('with %s is told where', (_, limit, mistake) => {
    expect(ofLimit(limit)).toEqual([expect.stringMatching(mistake)]);
  });

  it('must be there', () => {
    expect(findings({}).mistakes).toEqual(['spec.limits: at least one limit must be given']);
  });
});

describe('a Redis', () => {
  const ref = { name: 'redis' };
  const counting = (redis: Partial<NonNullable<Counting['redis']>>): Counting => ({
    store: 'Redis',
    redis: { addresses: ['redis:6379'], passwordSecretRef: ref, ...redis },
  });

  it('has its Secrets sent, those and no other', () => {
    const ca = { 'ca.crt': '-----BEGIN CERTIFICATE-----' };
    const secrets = { redis: { password: 'x', other: 'y' }, ca };
    const config = counting({
      mode: 'Sentinel',
      master: 'm',
      sentinelPasswordSecretRef: { name: 'redis', key: 'other' },
      tls: { caSecretRef: { name: 'ca' } },
    });
    const found = findings({ a: { rates } }, config, { secrets });
    expect([found.mistakes, found.broken]).toEqual([[], []]);
    expect([...found.resources.keys()].sort()).toEqual([
      'policy/default/ca/ca.crt',
      'policy/default/redis/other',
      'policy/default/redis/password',
    ]);
  });

  it.each<[string, Counting, string]>([
    [
      'a port that is none',
      counting({ addresses: ['a:1', 'b:65536'] }),
      'addresses[1]: "b:65536" has no port from 1 to 65535',
    ],
    ['no time', counting({ timeout: '0s' }), 'timeout: "0s" must be from "1ms" to "10s"'],
    ['too much time', counting({ timeout: '11s' }), 'timeout: "11s" must be from "1ms" to "10s"'],
  ])('with %s is told where', (_, config, mistake) => {
    const { mistakes } = findings({ a: { rates } }, config);
    expect(mistakes).toEqual([`spec.counting.redis.${mistake}`]);
  });

  it('whose password is empty, or missing, is told where', () => {
    const empty = findings({ a: { rates } }, counting({}), {
      secrets: { redis: { password: '' } },
    });
    expect(empty.mistakes).toEqual([
      'spec.counting.redis.passwordSecretRef: the entry "password" of Secret "redis" is empty',
    ]);
    const tls = counting({ tls: { caSecretRef: { name: 'redis', key: 'password' } } });
    expect(findings({ a: { rates } }, tls).mistakes).toEqual([
      'spec.counting.redis.tls.caSecretRef: the entry "password" of Secret "redis" holds no certificate as PEM',
    ]);
    const missing = findings({ a: { rates } }, counting({}), {});
    expect(missing.broken).toEqual(['spec.counting.redis.passwordSecretRef.name']);
  });
});
