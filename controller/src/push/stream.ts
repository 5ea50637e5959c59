import { Code, ConnectError } from '@connectrpc/connect';
import type { FromDataPlane, Update } from '@gatehouse/snapshot';
import type { Logger } from 'pino';
import { AnswerTimers } from './answer-timers.ts';
import type { Fleet } from './fleet.ts';
import { helloOf } from './hello.ts';
import { Latch } from './latch.ts';

/** Milliseconds. */
export interface Deadlines {
  /** From the start of the stream to Hello. */
  hello: number;
  /** From an update to its answer. */
  answer: number;
}

export const defaultDeadlines: Deadlines = { hello: 10_000, answer: 30_000 };

export interface StreamOptions {
  fleet: Fleet;
  deadlines: Deadlines;
  log: Pick<Logger, 'info'>;
  /** The node that the token is bound to, if any. */
  boundNode: string | undefined;
  /** Aborted when the stream is gone. */
  signal: AbortSignal;
  /** Cuts the stream without waiting for a peer that does not read. */
  reset(): void;
}

/** Serves one data plane until its stream ends. */
export async function* serveStream(
  requests: AsyncIterable<FromDataPlane>,
  { fleet, deadlines, log, boundNode, signal, reset }: StreamOptions,
): AsyncGenerator<Update> {
  const messages = requests[Symbol.asyncIterator]();
  const hello = await helloOf(messages, boundNode, deadlines.hello);
  const latch = new Latch();
  const state = { ended: false, reason: undefined as ConnectError | undefined, writing: false };
  const end = (reason?: ConnectError) => {
    if (state.ended) return;
    state.ended = true;
    state.reason = reason;
    // While the transport waits for a slow reader nothing that is thrown here would arrive.
    if (state.writing) reset();
    latch.open();
  };
  const session = fleet.open(hello, { wake: () => latch.open(), end });
  const { node, zone, release } = hello;
  log.info({ node, zone, release }, 'Data plane connected');
  const timers = new AnswerTimers(deadlines.answer, () => end(silent(node)));
  const left = () => {
    end();
    timers.keep(() => false);
    fleet.close(session);
  };
  signal.addEventListener('abort', left);
  const read = async () => {
    for (;;) {
      const { done, value } = await messages.next();
      if (done) return;
      fleet.answer(session, value.message);
      timers.keep((lane) => session.isWaiting(lane));
    }
  };
  read().then(
    () => end(),
    (error) => end(ConnectError.from(error)),
  );
  try {
    while (!state.ended) {
      const update = session.next();
      if (update === undefined) {
        await latch.opened();
        continue;
      }
      timers.start(update.lane);
      state.writing = true;
      yield update;
      state.writing = false;
    }
    if (state.reason !== undefined) throw state.reason;
  } finally {
    signal.removeEventListener('abort', left);
    left();
    log.info({ node, reason: state.reason?.message }, 'Data plane disconnected');
  }
}

function silent(node: string): ConnectError {
  return new ConnectError(`"${node}" did not answer an update in time`, Code.DeadlineExceeded);
}
