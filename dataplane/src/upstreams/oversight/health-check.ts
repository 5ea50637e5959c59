import { now } from '../../state/clock.ts';
import { seconds } from './breaker-view.ts';
import type { Probe } from './probes.ts';

export type CheckSettings = {
  probe: Probe;
  /** Milliseconds. */
  interval: number;
  timeout: number;
  unhealthyThreshold: number;
  healthyThreshold: number;
  jitterPercent: number;
};

/** What the checks of an endpoint found last. */
export type CheckView = {
  healthy: boolean;
  /** Seconds since the last check ended. */
  checkedBeforeSeconds: number;
  /** Why the last check failed; left out when it did not. */
  failure?: string;
};

/** The first checks are spread over so many milliseconds at most. */
const longestFirstDelay = 500;

/** Asks one endpoint again and again whether it is well. */
export class ActiveCheck {
  readonly #address: string;
  readonly #port: number;
  readonly #settings: CheckSettings;
  readonly #onResult: (failure: string | undefined) => void;
  readonly #onChange: (healthy: boolean, reason: string) => void;
  #healthy: boolean | undefined;
  /** Results one after the other that say otherwise. */
  #streak = 0;
  #checkedAt = 0;
  #failure: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param unhealthy what earlier checks found: then the first one does not decide by itself. */
  constructor(
    address: string,
    port: number,
    settings: CheckSettings,
    unhealthy: boolean,
    tell: {
      result(failure: string | undefined): void;
      change(healthy: boolean, reason: string): void;
    },
  ) {
    this.#address = address;
    this.#port = port;
    this.#settings = settings;
    if (unhealthy) this.#healthy = false;
    this.#onResult = tell.result;
    this.#onChange = tell.change;
    this.#after(Math.random() * Math.min(longestFirstDelay, settings.interval));
  }

  get view(): CheckView | undefined {
    if (this.#healthy === undefined) return undefined;
    return {
      healthy: this.#healthy,
      checkedBeforeSeconds: seconds(now() - this.#checkedAt),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }

  #after(milliseconds: number) {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#check(), milliseconds);
    this.#timer.unref();
  }

  async #check() {
    const { probe, interval, timeout, jitterPercent } = this.#settings;
    const begin = now();
    let failure: string | undefined;
    try {
      await probe(this.#address, this.#port, timeout);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    if (this.#closed) return;
    this.#take(failure);
    const jitter = 1 + ((2 * Math.random() - 1) * jitterPercent) / 100;
    this.#after(Math.max(0, interval * jitter - (now() - begin)));
  }

  #take(failure: string | undefined) {
    const { unhealthyThreshold, healthyThreshold } = this.#settings;
    this.#checkedAt = now();
    this.#failure = failure;
    this.#onResult(failure);
    const well = failure === undefined;
    if (well === this.#healthy) {
      this.#streak = 0;
      return;
    }
    const first = this.#healthy === undefined;
    this.#streak++;
    if (!first && this.#streak < (well ? healthyThreshold : unhealthyThreshold)) return;
    this.#healthy = well;
    this.#streak = 0;
    // Until it is checked an endpoint counts as healthy.
    if (!first || !well) this.#onChange(well, failure ?? '');
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
