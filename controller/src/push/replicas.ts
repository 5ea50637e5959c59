/** Milliseconds for which a number counts after it has changed. */
const memory = 10_000;

export interface Replicas {
  /** How many data planes are there now. */
  count(now: number): void;
  /** What a data plane that has just connected was told before; 0: nothing. */
  claim(told: number): void;
  close(): void;
}

/**
 * How many data planes share limits. What they are told is the largest number of the last ten seconds:
 * one that loses its stream for a moment still serves, and after a controller has started its data
 * planes come back one by one. More of them count at once, as their shares are smaller.
 * @param tell called with a number that differs from the last one.
 */
export function createReplicas(
  tell: (replicas: number) => void,
  { now = () => performance.now(), keep = memory }: { now?: () => number; keep?: number } = {},
): Replicas {
  let present = 0;
  /** Numbers that are past, until when they count. */
  let past: { replicas: number; until: number }[] = [];
  let told = 0;
  let timer: NodeJS.Timeout | undefined;

  function look() {
    const at = now();
    past = past.filter(({ until }) => until > at);
    const most = Math.max(present, ...past.map(({ replicas }) => replicas));
    clearTimeout(timer);
    const [next] = past.map(({ until }) => until).sort((a, b) => a - b);
    if (next !== undefined) timer = setTimeout(look, next - at).unref();
    // Before there is any data plane nobody is told anything.
    if (most === told || most === 0) return;
    told = most;
    tell(most);
  }

  function remember(replicas: number) {
    if (replicas > 0) past.push({ replicas, until: now() + keep });
  }

  return {
    count(replicas) {
      if (replicas === present) return;
      remember(present);
      present = replicas;
      look();
    },
    claim(replicas) {
      if (replicas <= present) return;
      remember(replicas);
      look();
    },
    close: () => clearTimeout(timer),
  };
}
