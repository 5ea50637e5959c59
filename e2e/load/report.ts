export type Failure = {
  /** When it was due, RFC 3339. */
  at: string;
  reason: string;
  /** Which request of its connection it was, counted from 1; 0 when that has no meaning. */
  use: number;
};

export type Report = {
  sent: number;
  answered: number;
  seconds: number;
  failures: Failure[];
  /** Milliseconds from when a request was due to its answer. */
  latency: { p50: number; p99: number; max: number };
  /** How often each body came. */
  bodies: Record<string, number>;
};

export function reportOf(counted: {
  sent: number;
  seconds: number;
  latencies: number[];
  failures: Failure[];
  bodies: Map<string, number>;
}): Report {
  const sorted = Float64Array.from(counted.latencies).sort();
  const at = (share: number) =>
    Number((sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(1));
  return {
    sent: counted.sent,
    answered: sorted.length,
    seconds: Number(counted.seconds.toFixed(1)),
    failures: counted.failures,
    latency: { p50: at(0.5), p99: at(0.99), max: at(1) },
    bodies: Object.fromEntries(counted.bodies),
  };
}

/** One line for people. */
export function lineOf({ sent, failures, seconds, latency }: Report): string {
  const rate = Math.round(sent / seconds);
  const times = `p50 ${latency.p50} ms, p99 ${latency.p99} ms, max ${latency.max} ms`;
  return `${sent} requests in ${seconds} s (${rate}/s), ${failures.length} failed; ${times}`;
}

/** Each reason for a failure with how often and when, for messages. */
export function reasonsOf({ failures }: Report): string[] {
  const byReason = Map.groupBy(failures, ({ reason }) => reason);
  return [...byReason].map(
    ([reason, all]) => `${all.length} x ${reason} (${all[0]?.at} to ${all.at(-1)?.at})`,
  );
}
