import type { Socket } from 'node:net';
import { ErrorCode } from '../../http2/nghttp2/error-code.ts';
import type { Session } from '../../http2/nghttp2/session.ts';
import { now } from '../../state/clock.ts';
import type { Deadline, TimerWheel } from '../../state/timer-wheel.ts';
import { FrameBudget } from './frame-budget.ts';

/** Milliseconds between two looks at a connection; longer ones while it is silent. */
const shortest = 500;
const longest = 2000;

/** Closes a connection that floods us with frames. It is its own deadline. */
export class FloodWatch implements Deadline {
  at = 0;
  tick = 0;
  next: Deadline | undefined = undefined;
  previous: Deadline | undefined = undefined;
  readonly budget = new FrameBudget(now());
  readonly #session: Session;
  readonly #socket: Socket;
  readonly #wheel: TimerWheel;
  #read = 0;
  #pause = shortest;

  constructor(session: Session, socket: Socket, wheel: TimerWheel) {
    this.#session = session;
    this.#socket = socket;
    this.#wheel = wheel;
    wheel.arm(this, now() + shortest);
  }

  /** PING or SETTINGS came, which are answered. */
  answered() {
    if (this.budget.answered()) this.#settle(now());
  }

  expire(at: number) {
    const read = this.#socket.bytesRead;
    this.#pause = read === this.#read ? Math.min(2 * this.#pause, longest) : shortest;
    this.#read = read;
    if (!this.#settle(at)) this.#wheel.arm(this, at + this.#pause);
  }

  #settle(at: number): boolean {
    const { bytesRead, bytesWritten } = this.#socket;
    if (!this.budget.settle(bytesRead, bytesWritten, at)) return false;
    // RFC 9113 section 10.5.
    // A client that reads nothing would hold the end up.
    if (this.#session.ending || this.#socket.writableNeedDrain) this.#session.destroy();
    else this.#session.terminate(ErrorCode.enhanceYourCalm);
    return true;
  }

  close() {
    this.#wheel.remove(this);
  }
}
