import { expect, it } from 'vitest';
import { validateObject } from '../../index.ts';

const rates = [{ limit: 60, window: '1m' }];
const redis = { addresses: ['redis:6379'], withoutPassword: true };

function problems(spec: object): string[] {
  const result = validateObject({
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'RateLimitPolicy',
    metadata: { name: 'a' },
    spec: { targetRefs: [{ kind: 'Route', name: 'r' }], ...spec },
  });
  return 'problems' in result ? result.problems.map(({ message }) => message) : [];
}

it.each<[string, object]>([
  ['counts in Redis', { limits: { a: { rates } }, counting: { store: 'Redis', redis } }],
  [
    'is shared, with nothing said of Redis',
    { limits: { a: { rates } }, counting: { store: 'Shared' } },
  ],
  ['counts locally, silently', { limits: { a: { rates } }, counting: { headers: false } }],
  [
    'has a cluster',
    {
      limits: { a: { rates } },
      counting: {
        store: 'Redis',
        failureMode: 'Open',
        redis: { ...redis, mode: 'Cluster', addresses: ['a:1', 'b:2'] },
      },
    },
  ],
])('a policy that %s is valid', (_, spec) => {
  expect(problems(spec)).toEqual([]);
});

it.each<[string, object, RegExp]>([
  ['a negative limit', { limits: { a: { rates: [{ limit: -1, window: '1m' }] } } }, /0/],
  ['a burst of nothing', { limits: { a: { rates, burst: 0 } } }, /1/],
  [
    'a burst of windows',
    { limits: { a: { rates, burst: 9, algorithm: 'FixedWindow' } } },
    /TokenBucket/,
  ],
  ['rates and concurrency', { limits: { a: { rates, concurrency: 1 } } }, /exactly one of/],
  ['neither', { limits: { a: {} } }, /exactly one of/],
  ['a name that is none', { limits: { 'A b': { rates } } }, /names must be/],
  ['no Redis', { limits: { a: { rates } }, counting: { store: 'Redis' } }, /redis goes with/],
  ['a Redis it does not ask', { limits: { a: { rates } }, counting: { redis } }, /redis goes with/],
  [
    'a failure mode of nothing',
    { limits: { a: { rates } }, counting: { store: 'Shared', failureMode: 'Open' } },
    /failureMode goes with/,
  ],
  [
    'a Redis without a word on its password',
    { limits: { a: { rates } }, counting: { store: 'Redis', redis: { addresses: ['a:1'] } } },
    /passwordSecretRef/,
  ],
  [
    'an address with a password in it',
    {
      limits: { a: { rates } },
      counting: { store: 'Redis', redis: { ...redis, addresses: ['user:secret@a:1'] } },
    },
    /pattern|match|expected/i,
  ],
  [
    'sentinels without a master',
    {
      limits: { a: { rates } },
      counting: { store: 'Redis', redis: { ...redis, mode: 'Sentinel' } },
    },
    /master goes with/,
  ],
  [
    'two addresses of one server',
    {
      limits: { a: { rates } },
      counting: { store: 'Redis', redis: { ...redis, addresses: ['a:1', 'b:2'] } },
    },
    /several addresses/,
  ],
])('a policy with %s is not valid', (_, spec, message) => {
  expect(problems(spec)).toEqual([expect.stringMatching(message)]);
});
