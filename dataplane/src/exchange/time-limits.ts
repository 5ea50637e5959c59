import type { LinkedTimeouts } from '../link/runtime.ts';

const noTimeouts: LinkedTimeouts = { request: 0, backendRequest: 0, idle: 0 };

/** The limits of one exchange in time; on the clock of `now()`. */
export class TimeLimits {
  readonly #timeouts: LinkedTimeouts;
  /** End of the whole exchange; Infinity when there is no limit. */
  readonly end: number;
  lastActivity: number;

  constructor(timeouts: LinkedTimeouts | undefined, startedAt: number) {
    this.#timeouts = timeouts ?? noTimeouts;
    this.lastActivity = startedAt;
    const { request } = this.#timeouts;
    this.end = request > 0 ? startedAt + request : Number.POSITIVE_INFINITY;
  }

  /**
   * When the exchange is given up, as things stand now: while a body is on its way, silence counts;
   * between the bodies, the time to the head of the response.
   */
  next(inBody: boolean): number {
    const { idle, backendRequest } = this.#timeouts;
    const limit = inBody ? idle : backendRequest;
    return Math.min(this.end, limit > 0 ? this.lastActivity + limit : Number.POSITIVE_INFINITY);
  }
}
