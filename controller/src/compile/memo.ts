type Entry<T> = { dependencies: readonly unknown[]; value: T; run: number };

/**
 * Keeps what was made of a subject until one of the dependencies is not the very same as before.
 * What a run does not ask for is forgotten at its end, so a memo grows no larger than its input.
 */
export type Memo<K, T> = {
  get(subject: K, dependencies: readonly unknown[], make: () => T): T;
  endRun(): void;
};

export function createMemo<K, T>(): Memo<K, T> {
  const entries = new Map<K, Entry<T>>();
  let run = 0;
  let asked = 0;
  return {
    get(subject, dependencies, make) {
      let entry = entries.get(subject);
      if (entry === undefined) {
        entry = { dependencies, value: make(), run: run - 1 };
        entries.set(subject, entry);
      } else if (!sameItems(entry.dependencies, dependencies)) {
        entry.value = make();
        entry.dependencies = dependencies;
      }
      if (entry.run !== run) asked += 1;
      entry.run = run;
      return entry.value;
    },
    endRun() {
      if (asked !== entries.size) {
        for (const [subject, entry] of entries) if (entry.run !== run) entries.delete(subject);
      }
      run += 1;
      asked = 0;
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
