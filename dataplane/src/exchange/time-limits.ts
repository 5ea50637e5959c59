import { grpcTimeout } from '../http2/grpc-request.ts';
import type { LinkedTimeouts } from '../link/runtime.ts';
import type { Client, Exchange } from './exchange.ts';
import type { Overrides } from './overrides.ts';

const noTimeouts: LinkedTimeouts = { request: 0, backendRequest: 0, idle: 0 };

/** The limits of one exchange in time; on the clock of `now()`. */
export class TimeLimits {
  /** Milliseconds; 0: no limit. */
  readonly #idle: number;
  readonly #head: number;
  /** End of the whole exchange; Infinity when there is no limit. */
  readonly end: number;
  lastActivity: number;
  readonly #client: Client;

  /**
   * @param request limit for the whole exchange in milliseconds; 0: none.
   * @param head limit for the head of the response of each try; 0: none.
   */
  constructor({ client, startedAt }: Exchange, request: number, head: number, idle: number) {
    this.#client = client;
    this.lastActivity = startedAt;
    this.end = request > 0 ? startedAt + request : Number.POSITIVE_INFINITY;
    this.#head = head;
    this.#idle = idle;
  }

  /**
   * When the exchange is given up, as things stand now: while a body is on its way, silence counts;
   * between the bodies, the time to the head of the response.
   */
  next(inBody: boolean): number {
    const limit = inBody ? this.#idle : this.#head;
    return Math.min(this.end, limit > 0 ? this.lastActivity + limit : Number.POSITIVE_INFINITY);
  }

  /** Has the action told when that is. */
  arm(at: number) {
    if (at !== Number.POSITIVE_INFINITY) this.#client.arm(at);
  }
}

/** What a client of gRPC gives for the call in milliseconds; 0: nothing. */
function calledFor({ grpc, head }: Exchange): number {
  return grpc ? (grpcTimeout(head.header('grpc-timeout')) ?? 0) : 0;
}

/** The limits that an exchange begins with; what a trusted proxy asks for can only be shorter as a whole. */
export function timeLimitsOf(exchange: Exchange, overrides: Overrides | undefined): TimeLimits {
  const { request, backendRequest, idle } = exchange.rule?.timeouts ?? noTimeouts;
  const tryTimeout = overrides?.tryTimeout ?? exchange.rule?.retries?.tryTimeout ?? 0;
  const asked = overrides?.timeout ?? calledFor(exchange);
  const whole = asked > 0 && request > 0 ? Math.min(asked, request) : asked || request;
  return new TimeLimits(exchange, whole, tryTimeout || backendRequest, idle);
}
