import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Breaker, type BreakerSettings, BreakerState, refused, resetBreaker } from './breaker.ts';
import type { Outcome } from './outcome.ts';
import {
  createUpstreamMemory,
  createUpstreamShare,
  giveBackUpstream,
  takeBack,
  upstreamTables,
} from './shared/upstream-memory.ts';

const settings: BreakerSettings = {
  failureThreshold: 3,
  timeout: 1000,
  halfOpenRequests: 2,
  errorRate: undefined,
};

/** The same breaker as two threads see it. */
function twoThreads(more: Partial<BreakerSettings> = {}) {
  const memory = createUpstreamMemory();
  const changes: BreakerState[] = [];
  const threads = [createUpstreamShare(), createUpstreamShare()].map((share) => {
    const tables = upstreamTables(memory, share);
    const row = tables.upstreams.claim('upstream/default/users');
    const told = (state: BreakerState) => changes.push(state);
    return { share, tables, row, breaker: new Breaker(row, { ...settings, ...more }, told) };
  });
  const [one, two] = threads as [(typeof threads)[0], (typeof threads)[0]];
  return { one, two, changes };
}

let at = 0;
beforeEach(() => {
  at = 5000;
});

/** Lets a request through and ends it. */
function pass(breaker: Breaker, outcome: Outcome) {
  const ticket = breaker.admit(at);
  if (ticket !== refused) breaker.settle(ticket, outcome, at);
  return ticket;
}

describe('a circuit breaker', () => {
  it.each<[string, Outcome[], boolean]>([
    ['failures one after the other open it', ['failure', 'error', 'failure'], true],
    ['fewer do not', ['failure', 'failure'], false],
    [
      'a success between them starts the count anew',
      ['failure', 'failure', 'ok', 'error', 'error'],
      false,
    ],
    ['a client that went says nothing', ['failure', 'none', 'failure', 'none', 'failure'], true],
  ])('%s', (_, outcomes, opens) => {
    const { one, two } = twoThreads();
    for (const [i, outcome] of outcomes.entries())
      pass(i % 2 === 0 ? one.breaker : two.breaker, outcome);
    expect(two.breaker.admit(at) === refused).toBe(opens);
  });

  it('lets just so many probes through, closes when all succeed', () => {
    const { one, two, changes } = twoThreads();
    for (let i = 0; i < 3; i++) pass(one.breaker, 'failure');
    at += 999;
    expect(two.breaker.admit(at)).toBe(refused);
    at += 1;
    const probes = [one.breaker.admit(at), two.breaker.admit(at)];
    expect(probes).toEqual([1, 1]);
    expect([one.breaker.admit(at), two.breaker.admit(at)]).toEqual([refused, refused]);
    one.breaker.settle(1, 'ok', at);
    expect(two.breaker.admit(at)).toBe(refused);
    two.breaker.settle(1, 'ok', at);
    expect([one.breaker.admit(at), two.breaker.admit(at)]).toEqual([0, 0]);
    expect(changes).toEqual([BreakerState.open, BreakerState.halfOpen, BreakerState.closed]);
  });

  it('opens again when a probe fails; what others of the round find out does not count', () => {
    const { one, two } = twoThreads();
    for (let i = 0; i < 3; i++) pass(one.breaker, 'failure');
    at += 1000;
    const [first, second] = [one.breaker.admit(at), two.breaker.admit(at)];
    one.breaker.settle(first, 'error', at);
    expect(two.breaker.admit(at)).toBe(refused);
    at += 1000;
    expect(one.breaker.admit(at)).toBe(2);
    two.breaker.settle(second, 'ok', at);
    expect(two.breaker.admit(at)).toBe(2);
    one.breaker.settle(2, 'ok', at);
    expect(one.breaker.admit(at)).toBe(refused);
    two.breaker.settle(2, 'ok', at);
    expect(one.breaker.admit(at)).toBe(0);
  });

  it('gives the place of a probe whose client went to another', () => {
    const { one } = twoThreads({ halfOpenRequests: 1 });
    for (let i = 0; i < 3; i++) pass(one.breaker, 'failure');
    at += 1000;
    for (let i = 0; i < 5; i++) expect(pass(one.breaker, 'none')).toBe(1);
    expect(pass(one.breaker, 'ok')).toBe(1);
    expect(one.breaker.admit(at)).toBe(0);
  });

  it('does not open anew by requests from before it closed', () => {
    const { one } = twoThreads({ halfOpenRequests: 1 });
    const old = [one.breaker.admit(at), one.breaker.admit(at), one.breaker.admit(at)];
    for (let i = 0; i < 3; i++) pass(one.breaker, 'failure');
    for (const ticket of old) one.breaker.settle(ticket, 'failure', at);
    at += 1000;
    expect(pass(one.breaker, 'ok')).toBe(1);
    expect(one.breaker.admit(at)).toBe(0);
  });

  it('is closed by a reset, and probes under way do not count', () => {
    const { one, two } = twoThreads();
    for (let i = 0; i < 3; i++) pass(one.breaker, 'failure');
    at += 1000;
    const probe = one.breaker.admit(at);
    resetBreaker(two.row, at);
    expect(two.breaker.admit(at)).toBe(0);
    one.breaker.settle(probe, 'failure', at);
    expect(two.breaker.admit(at)).toBe(0);
    for (let i = 0; i < 3; i++) pass(two.breaker, 'failure');
    expect(one.breaker.admit(at)).toBe(refused);
  });

  it('outlives a thread; its probes go to others', () => {
    const { one, two } = twoThreads();
    for (let i = 0; i < 3; i++) pass(one.breaker, 'failure');
    at += 1000;
    expect([one.breaker.admit(at), one.breaker.admit(at)]).toEqual([1, 1]);
    expect(two.breaker.admit(at)).toBe(refused);
    takeBack(two.tables, one.share);
    expect([two.breaker.admit(at), two.breaker.admit(at)]).toEqual([1, 1]);
    expect(two.breaker.admit(at)).toBe(refused);
  });

  it('is given up by a thread that goes on', () => {
    const { one, two } = twoThreads({ halfOpenRequests: 1 });
    for (let i = 0; i < 3; i++) pass(one.breaker, 'failure');
    at += 1000;
    expect(one.breaker.admit(at)).toBe(1);
    giveBackUpstream(one.row);
    one.tables.upstreams.release(one.row);
    expect(two.breaker.admit(at)).toBe(1);
    // Nobody sees what becomes of the one that was given back.
    one.breaker.settle(1, 'failure', at);
    two.breaker.settle(1, 'ok', at);
    expect(two.breaker.admit(at)).toBe(0);
  });
});

describe('a rate of errors', () => {
  const errorRate = { percent: 50, window: 10_000, minimumRequests: 10 };
  const rated = () => twoThreads({ failureThreshold: Number.POSITIVE_INFINITY, errorRate });

  it('opens it, over all threads, however they are mixed', () => {
    const { one, two } = rated();
    for (let i = 0; i < 5; i++) {
      expect(pass(one.breaker, 'ok')).toBe(0);
      expect(pass(two.breaker, 'error')).toBe(0);
    }
    expect(one.breaker.admit(at)).toBe(refused);
  });

  it('counts nothing below the minimum', () => {
    const { one } = rated();
    for (let i = 0; i < 9; i++) expect(pass(one.breaker, 'failure')).toBe(0);
    expect(one.breaker.admit(at)).toBe(0);
  });

  it('forgets what is older than the window', () => {
    const { one } = rated();
    for (let i = 0; i < 9; i++) pass(one.breaker, 'failure');
    at += 10_000;
    for (let i = 0; i < 9; i++) expect(pass(one.breaker, 'failure')).toBe(0);
    expect(one.breaker.admit(at)).toBe(0);
  });

  it('starts anew when it closes', () => {
    const { one } = rated();
    for (let i = 0; i < 10; i++) pass(one.breaker, 'failure');
    at += 1000;
    for (let i = 0; i < 2; i++) expect(pass(one.breaker, 'ok')).toBe(1);
    expect(pass(one.breaker, 'failure')).toBe(0);
    expect(one.breaker.admit(at)).toBe(0);
  });
});

const outcomes = fc.constantFrom<Outcome>('ok', 'error', 'failure', 'none');
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('admit' as const), thread: fc.nat(1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(),
      outcome: outcomes,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), time: fc.constantFrom(1, 500, 1000) }),
  },
);

it('whatever happens: never more probes than allowed, and it always comes to a decision', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { one, two } = twoThreads();
      const breakers = [one.breaker, two.breaker];
      const open: { breaker: Breaker; ticket: number }[] = [];
      at = 5000;
      /** Of the latest round: probes that were given and not taken back. */
      let round = 0;
      let probes = 0;
      for (const each of steps) {
        if (each.do === 'wait') at += each.time;
        else if (each.do === 'admit') {
          const breaker = breakers[each.thread]!;
          const ticket = breaker.admit(at);
          if (ticket === refused) continue;
          open.push({ breaker, ticket });
          if (ticket > round) {
            round = ticket;
            probes = 0;
          }
          if (ticket > 0) expect(++probes).toBeLessThanOrEqual(2);
        } else {
          const [ended] = open.splice(each.which % Math.max(1, open.length), 1);
          if (!ended) continue;
          ended.breaker.settle(ended.ticket, each.outcome, at);
          if (ended.ticket === round && ended.ticket > 0 && each.outcome === 'none') probes--;
        }
      }
      for (const { breaker, ticket } of open) breaker.settle(ticket, 'none', at);
      at += 1000;
      // Two successes close it, wherever it was.
      for (let i = 0; i < 2; i++) expect(pass(one.breaker, 'ok')).not.toBe(refused);
      expect(two.breaker.admit(at)).toBe(0);
    }),
  );
});
