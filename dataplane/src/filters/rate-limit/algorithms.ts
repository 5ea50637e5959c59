/**
 * The state of a counter: three numbers whose meaning is the algorithm's own, except that `until` is
 * when it says nothing any more: from then on it is as good as none. Milliseconds of a monotonic clock.
 */
export type CounterState = { until: number; a: number; b: number };

/** What is asked of a counter, and the answer. One object is used again and again. */
export type Demand = {
  algorithm: Algorithm;
  /** Requests in a window; at one time for concurrency. */
  limit: number;
  /** Milliseconds; 0 for concurrency. */
  window: number;
  /** Size of the bucket; the limit for other algorithms. */
  burst: number;
  cost: number;
  allowed: boolean;
  /** What is left after this request. */
  remaining: number;
  /** Milliseconds until everything is left again. */
  resetAfter: number;
  /** Milliseconds until the same request may pass; Infinity when it never may. */
  retryAfter: number;
};

/** Judges a demand by the state, without changing it: fills in the answer. */
type Judge = (demand: Demand, state: CounterState, now: number) => void;
/** Takes what was allowed. */
type Take = (demand: Demand, state: CounterState, now: number) => void;
/** Gives back what was taken at `takenAt`. */
type GiveBack = (demand: Demand, state: CounterState, takenAt: number) => void;
export type Algorithm = { name: string; judge: Judge; take: Take; giveBack: GiveBack };

/** Generic cell rate algorithm (ITU-T I.371): `until` is the theoretical arrival time. */
export const tokenBucket: Algorithm = {
  name: 'TokenBucket',
  judge(demand, { until }, now) {
    const interval = demand.window / demand.limit;
    const tolerance = interval * demand.burst;
    const arrival = Math.max(until, now);
    const next = arrival + demand.cost * interval;
    demand.allowed = demand.limit > 0 && next - now <= tolerance + slack;
    const after = demand.allowed ? next : arrival;
    demand.remaining =
      demand.limit > 0
        ? Math.max(0, Math.floor((tolerance - (after - now) + slack) / interval))
        : 0;
    demand.resetAfter = demand.limit > 0 ? after - now : demand.window;
    demand.retryAfter = demand.allowed
      ? 0
      : demand.limit === 0 || demand.cost > demand.burst
        ? Number.POSITIVE_INFINITY
        : next - tolerance - now;
  },
  take(demand, state, now) {
    const interval = demand.window / demand.limit;
    state.until = Math.max(state.until, now) + demand.cost * interval;
  },
  giveBack(demand, state) {
    state.until -= (demand.cost * demand.window) / demand.limit;
  },
};

/** Sums of intervals are not exact: a millionth of a millisecond decides nothing. */
const slack = 1e-6;

/** Windows of the clock: `until` is the end of the window, `a` what was counted in it. */
export const fixedWindow: Algorithm = {
  name: 'FixedWindow',
  judge(demand, state, now) {
    const counted = state.until > now ? state.a : 0;
    const end = (Math.floor(now / demand.window) + 1) * demand.window;
    answer(demand, counted, end - now, end - now);
  },
  take(demand, state, now) {
    const end = (Math.floor(now / demand.window) + 1) * demand.window;
    // A state of another window length ends when it did: its count is carried on until then.
    state.a = (state.until > now ? state.a : 0) + demand.cost;
    state.until = Math.max(state.until, end);
  },
  giveBack(demand, state, takenAt) {
    // Of a window that is over nothing counts any more.
    if (state.until > takenAt && state.until <= takenAt + demand.window) {
      state.a = Math.max(0, state.a - demand.cost);
    }
  },
};

/**
 * The present window and the share of the last one that a window which ends now still covers. `until`
 * is two lengths behind the start of the present window, `a` and `b` are what was counted in the
 * present one and in the one before.
 */
export const slidingWindow: Algorithm = {
  name: 'SlidingWindow',
  judge(demand, state, now) {
    const { window } = demand;
    const start = Math.floor(now / window) * window;
    const present = state.until === start + 2 * window ? state.a : 0;
    const last = lastOf(state, start, window);
    const counted = present + last * (1 - (now - start) / window);
    const wait = waitOf(demand, { present, last, into: now - start });
    answer(demand, counted, start + window - now + (present > 0 ? window : 0), wait);
  },
  take(demand, state, now) {
    const { window } = demand;
    const start = Math.floor(now / window) * window;
    const end = start + 2 * window;
    const last = lastOf(state, start, window);
    state.a = (state.until === end ? state.a : 0) + demand.cost;
    state.b = last;
    state.until = end;
  },
  giveBack(demand, state, takenAt) {
    const end = (Math.floor(takenAt / demand.window) + 2) * demand.window;
    if (state.until === end) state.a = Math.max(0, state.a - demand.cost);
    else if (state.until === end + demand.window) state.b = Math.max(0, state.b - demand.cost);
  },
};

function lastOf(state: CounterState, start: number, window: number): number {
  if (state.until === start + 2 * window) return state.b;
  return state.until === start + window ? state.a : 0;
}

/** How long until the cost fits, as nothing else comes. */
function waitOf(
  { limit, cost, window }: Demand,
  { present, last, into }: { present: number; last: number; into: number },
): number {
  if (cost > limit) return Number.POSITIVE_INFINITY;
  const room = limit - cost;
  // In this window the share of the last one shrinks; in the next the present one is the last.
  if (present <= room)
    return last === 0 ? 0 : Math.max(0, window * (1 - (room - present) / last) - into);
  return window - into + window * (1 - room / present);
}

/** Requests under way: `a` counts them. */
export const concurrency: Algorithm = {
  name: 'Concurrency',
  judge(demand, state) {
    answer(demand, state.a, 0, demand.limit === 0 ? Number.POSITIVE_INFINITY : 1000);
  },
  take(demand, state) {
    state.a += demand.cost;
    state.until = Number.POSITIVE_INFINITY;
  },
  giveBack(demand, state) {
    state.a = Math.max(0, state.a - demand.cost);
    if (state.a === 0) state.until = 0;
  },
};

function answer(demand: Demand, counted: number, resetAfter: number, wait: number) {
  const { limit, cost } = demand;
  demand.allowed = counted + cost <= limit + slack;
  const after = demand.allowed ? counted + cost : counted;
  demand.remaining = Math.max(0, Math.floor(limit - after + slack));
  demand.resetAfter = resetAfter;
  demand.retryAfter = demand.allowed ? 0 : cost > limit ? Number.POSITIVE_INFINITY : wait;
}
