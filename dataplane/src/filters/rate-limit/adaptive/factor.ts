import { lockRow, type Row, unlockRow } from '../../../state/shared-table.ts';
import type { Condition } from './service-health.ts';
import { FactorNumber, FactorWord, secondOf } from './shape.ts';

/** When a limit shrinks and how far. */
export type AdaptiveSettings = {
  /** Below which it never shrinks, from above 0 to 1. */
  minimum: number;
  /** Share of failures from which it shrinks. */
  errors: number;
  /** Multiple of the usual latency from which it shrinks; Infinity: latency does not count. */
  latency: number;
};

export const causes = ['', 'errors', 'latency'] as const;
export type Cause = (typeof causes)[number];

/** Of its size, what a limit loses in a second at the least and at the most, and gets back. */
const loss = { least: 0.1, most: 0.4 };
const gain = 0.05;
/** Seconds that are made up for when nobody looked. */
const mostSeconds = 60;

/**
 * What is left of a limit while a service is not well, for all threads: additive increase,
 * multiplicative decrease, once a second. The worse it is, the more it shrinks.
 */
export class Factor {
  readonly #row: Row;

  constructor(row: Row) {
    this.#row = row;
  }

  get value(): number {
    return this.#row.numbers[(this.#row.at + FactorNumber.factor) / 2] || 1;
  }

  /** Why it shrank last. */
  get cause(): Cause {
    return causes[this.#row.words[this.#row.at + FactorWord.cause] ?? 0] ?? '';
  }

  /** Goes on to the present second; whoever comes first does it for all. */
  step(condition: () => Condition, settings: AdaptiveSettings, now: number): void {
    const { words, at, numbers } = this.#row;
    const second = secondOf(now);
    if (Atomics.load(words, at + FactorWord.second) >= second) return;
    const found = condition();
    lockRow(this.#row);
    const before = Atomics.load(words, at + FactorWord.second);
    if (before < second) {
      const seconds = before === 0 ? 1 : Math.min(second - before, mostSeconds);
      const { cause, severity } = judge(found, settings);
      let value = this.value;
      for (let i = 0; i < seconds; i++) value = next(value, severity, settings.minimum);
      numbers[(at + FactorNumber.factor) / 2] = value;
      if (cause !== '' || value === 1) words[at + FactorWord.cause] = causes.indexOf(cause);
      Atomics.store(words, at + FactorWord.second, second);
    }
    unlockRow(this.#row);
  }
}

function next(value: number, severity: number | undefined, minimum: number): number {
  if (severity === undefined) return Math.min(1, value + gain);
  return Math.max(minimum, value * (1 - loss.least - severity * (loss.most - loss.least)));
}

/** @returns severity from 0 to 1; undefined when all is well, or nothing is known. */
function judge(
  { errors, slowdown }: Condition,
  settings: AdaptiveSettings,
): { cause: Cause; severity: number | undefined } {
  const failing = errors !== undefined && errors >= settings.errors;
  const slow = slowdown !== undefined && slowdown >= settings.latency;
  if (!failing && !slow) return { cause: '', severity: undefined };
  const byErrors = failing ? (errors - settings.errors) / (1.001 - settings.errors) : 0;
  const bySlowness = slow ? Math.min(1, (slowdown / settings.latency - 1) / 2) : 0;
  return { cause: failing ? 'errors' : 'latency', severity: Math.max(byErrors, bySlowness) };
}
