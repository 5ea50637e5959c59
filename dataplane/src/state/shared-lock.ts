/** Turns of spinning before a thread sleeps for the lock. */
const spins = 2000;
/** Milliseconds after which the holder of a lock is taken for dead: no step takes that long. */
const deadHolder = 200;

/** Takes the lock in `words[at]`, which all threads share. Never held across a wait. */
export function lockWord(words: Int32Array, at: number) {
  for (let i = 0; i < spins; i++) {
    if (Atomics.compareExchange(words, at, 0, 1) === 0) return;
  }
  let waited = 0;
  while (Atomics.compareExchange(words, at, 0, 1) !== 0) {
    // A thread that was ended in the middle of a step cannot unlock any more.
    if (waited++ >= deadHolder) return;
    Atomics.wait(words, at, 1, 1);
  }
}

export function unlockWord(words: Int32Array, at: number) {
  Atomics.store(words, at, 0);
  Atomics.notify(words, at, 1);
}
