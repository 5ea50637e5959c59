/** What has to be there before the first snapshot is made. */
export interface Readiness {
  /** Takes down something that must be waited for. */
  expect(name: string): void;
  settle(name: string): void;
  /** What is waited for. */
  waiting(): string[];
  /** Resolves when nothing is waited for. */
  ready: Promise<void>;
}

export function readiness(): Readiness {
  const pending = new Set<string>();
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    expect: (name) => void pending.add(name),
    settle(name) {
      pending.delete(name);
      if (pending.size === 0) resolve();
    },
    waiting: () => [...pending],
    ready: promise,
  };
}
