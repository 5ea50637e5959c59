import { constants, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
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
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #wheel: TimerWheel;
  #read = 0;
  #pause = shortest;

  constructor(session: ServerHttp2Session, socket: Socket, wheel: TimerWheel) {
    this.#session = session;
    this.#socket = socket;
    this.#wheel = wheel;
    const count = () => {
      if (this.budget.answered()) this.#settle(now());
    };
    session.on('ping', count);
    session.on('remoteSettings', count);
    wheel.arm(this, now() + shortest);
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
    this.#session.destroy(new Error('Flood of frames'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // node:http2 lets a session that is closing already send what it has to.
    if (this.#session.closed) this.#socket.destroy();
    return true;
  }

  close() {
    this.#wheel.remove(this);
  }
}
