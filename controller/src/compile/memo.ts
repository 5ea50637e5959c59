type Entry<T> = { dependencies: readonly unknown[]; value: T };

/**
 * Keeps the values of the last run. A value is made again when one of its dependencies is not the
 * very same as before; a value that a run does not ask for is forgotten, so a memo grows no larger
 * than what is compiled.
 */
export type Memo<T> = {
  get(key: string, dependencies: readonly unknown[], make: () => T): T;
  /** Ends a run. */
  turn(): void;
};

export function createMemo<T>(): Memo<T> {
  let last = new Map<string, Entry<T>>();
  let next = new Map<string, Entry<T>>();
  return {
    get(key, dependencies, make) {
      const entry = next.get(key) ?? last.get(key);
      const kept =
        entry !== undefined && sameItems(entry.dependencies, dependencies)
          ? entry
          : { dependencies, value: make() };
      next.set(key, kept);
      return kept.value;
    },
    turn() {
      last = next;
      next = new Map();
    },
  };
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `make`, which gives back the result of the last call as long as its input has the same content. */
export function createSame<A, B>(make: (input: A) => B): (input: A) => B {
  let last: { text: string; result: B } | undefined;
  return (input) => {
    const text = JSON.stringify(input);
    if (last?.text !== text) last = { text, result: make(input) };
    return last.result;
  };
}
