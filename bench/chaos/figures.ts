import { calmAfter, calmBegin } from './schedule.ts';

/** What became of one request; milliseconds, `sentAt` since the load began. */
export type Sample = {
  sentAt: number;
  took: number;
  /** 0: no answer. */
  status: number;
};

export type Bars = {
  /** Percent of requests that must succeed. */
  success: number;
  /** Milliseconds in which every answer must be there. */
  latest: number;
  /** Milliseconds in which the p99 must be as before after a repair. */
  recovery: number;
};

export type Figures = {
  requests: number;
  failed: number;
  /** Percent. */
  success: number;
  /** By status; 0: no answer. */
  statuses: Record<string, number>;
  p50: number;
  p99: number;
  /** Of the calm before the first trouble. */
  p99Calm: number;
  slowest: number;
  /** Milliseconds from each repair until the p99 was as before; Infinity: not within the calm. */
  recoveries: number[];
  worstRecovery: number;
};

/** Milliseconds of a window in which a p99 is taken, and between the begins of two. */
const window = 500;
const step = 100;

/** A p99 counts as before when it is not above this. */
export function recoveredP99(calm: number): number {
  return Math.max(2 * calm, calm + 25);
}

export function figuresOf(samples: readonly Sample[], repairs: readonly number[]): Figures {
  const ordered = [...samples].sort((a, b) => a.sentAt - b.sentAt);
  const statuses: Record<string, number> = {};
  for (const { status } of ordered) statuses[status] = (statuses[status] ?? 0) + 1;
  const good = ordered.filter(({ status }) => status === 200).length;
  const times = ordered.map(({ took }) => took);
  // The first second is that of warming up.
  const p99Calm = percentile(
    ordered.filter(({ sentAt }) => sentAt > 1000 && sentAt < calmBegin).map(({ took }) => took),
    99,
  );
  const limit = recoveredP99(p99Calm);
  const recoveries = repairs.map((repair) => recoveryOf(ordered, repair, limit));
  return {
    requests: ordered.length,
    failed: ordered.length - good,
    success: (100 * good) / Math.max(1, ordered.length),
    statuses,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    p99Calm,
    slowest: times.reduce((most, took) => Math.max(most, took), 0),
    recoveries,
    worstRecovery: Math.max(0, ...recoveries),
  };
}

/** When, after a repair, two windows in a row are as before. */
function recoveryOf(ordered: readonly Sample[], repair: number, limit: number): number {
  const isAsBefore = (from: number) => {
    const within = ordered.filter(({ sentAt }) => sentAt >= from && sentAt < from + window);
    const times = within.map(({ took }) => took);
    return percentile(times, 99) <= limit;
  };
  for (let at = 0; at + 2 * window <= calmAfter; at += step) {
    if (isAsBefore(repair + at) && isAsBefore(repair + at + window)) return at;
  }
  return Number.POSITIVE_INFINITY;
}

/** Nearest rank; 0 of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}

/** What is not as it must be, a sentence each. */
export function missedBars(figures: Figures, bars: Bars): string[] {
  const missed: string[] = [];
  if (figures.requests === 0) missed.push('nothing was measured');
  if (figures.success < bars.success) {
    missed.push(`success is ${figures.success.toFixed(4)} %, less than ${bars.success} %`);
  }
  if (figures.slowest > bars.latest) {
    missed.push(`an answer took ${figures.slowest.toFixed(0)} ms, more than ${bars.latest} ms`);
  }
  if (figures.worstRecovery > bars.recovery) {
    missed.push(`after a repair the p99 was not as before within ${bars.recovery} ms`);
  }
  return missed;
}
