import type { Message } from '../../http1/message.ts';
import { now } from '../../state/clock.ts';
import { createTimerWheel } from '../../state/timer-wheel.ts';
import { ConnectionQuota } from '../connection-quota.ts';
import type { PoolSettings } from '../endpoint-pool.ts';
import type { Failure, ResponseSink, UpstreamStream } from '../stream.ts';
import { SessionPool } from './session-pool.ts';

/** What came of a request. */
export type Answer = {
  status: number;
  /** In the form of HTTP/1.1. */
  head: string;
  body: string;
  trailers: readonly string[];
  interims: number[];
  failure: Failure | undefined;
  detail: string;
};

/** A request whose body is sent piece by piece. */
export type Call = {
  stream: UpstreamStream;
  answer: Promise<Answer>;
  /** Resolves when the head of the answer has come. */
  head: Promise<void>;
  /** What has come so far of the body. */
  received(): number;
  /** False: the stream asked to wait. */
  send(body: string | Buffer, last?: boolean, trailers?: string[]): boolean;
  writable: number;
};

const usual: PoolSettings = {
  http2: true,
  connectTimeout: 3000,
  maxIdle: 8,
  idleTimeout: 0,
  maxConnections: 0,
  maxLifetime: 0,
};

/** A pool with what it needs around it. `close` checks that nothing is left of it. */
export function startPool(port: number, settings: Partial<PoolSettings> = {}) {
  const wheel = createTimerWheel();
  const quota = new ConnectionQuota();
  let rooms = 0;
  const group = { wheel, quota, onRoom: () => rooms++, onInsecure: () => undefined };
  const pool = new SessionPool('127.0.0.1', port, { ...usual, ...settings }, group);

  function call(
    target = '/',
    head = '',
    more: Partial<Message> & { sink?: Partial<ResponseSink> } = {},
  ): Call {
    const { sink: own, ...fields } = more;
    const source = {
      method: head.includes('HEAD') ? 'HEAD' : 'POST',
      messageDone: false,
      body: [0, 0],
      bodyCount: 0,
      trailers: [] as string[],
      framed: true,
      ...fields,
    };
    const stream = pool.acquire(now());
    const answer: Answer = {
      status: 0,
      head: '',
      body: '',
      trailers: [],
      interims: [],
      failure: undefined,
      detail: '',
    };
    const ended = Promise.withResolvers<Answer>();
    const begun = Promise.withResolvers<void>();
    const sink: ResponseSink = {
      onInterim: ({ head: { status } }) => answer.interims.push(status),
      onResponse({ head: { status, message } }, chunk, first) {
        answer.status = status;
        if (first) answer.head = message.text;
        for (let i = 0; i < message.bodyCount; i++) {
          answer.body += chunk.toString('latin1', message.body[2 * i], message.body[2 * i + 1]);
        }
        answer.trailers = message.trailers;
        begun.resolve();
      },
      onResponseEnd: () => ended.resolve(answer),
      onFailure(_, failure, detail) {
        Object.assign(answer, { failure, detail });
        begun.resolve();
        ended.resolve(answer);
      },
      onUpstreamWritable: () => {
        made.writable++;
      },
      onBug: ended.reject,
      ...own,
    };
    let first = true;
    const made: Call = {
      stream,
      answer: ended.promise,
      head: begun.promise,
      received: () => answer.body.length,
      writable: 0,
      send(body, last = false, trailers = []) {
        const chunk = Buffer.from(body);
        Object.assign(source, {
          body: [0, chunk.length],
          bodyCount: chunk.length > 0 ? 1 : 0,
          messageDone: last,
          trailers,
        });
        if (!first) return stream.sendMore(source as unknown as Message, chunk);
        first = false;
        const text = `${source.method} ${target} HTTP/1.1\r\nhost: test\r\n${head}\r\n`;
        return stream.send(sink, text, true, source as unknown as Message, chunk);
      },
    };
    return made;
  }

  return {
    pool,
    wheel,
    quota,
    rooms: () => rooms,
    call,
    /** A request that is complete. */
    ask(target = '/', body = '', head = ''): Promise<Answer> {
      const made = call(target, head);
      made.send(body, true);
      return made.answer;
    },
    async close() {
      pool.close();
      const end = performance.now() + 3000;
      while (pool.open > 0 || quota.open > 0 || wheel.armed() > 0) {
        if (performance.now() > end) {
          throw new Error(`Left over: ${pool.open} sessions, ${wheel.armed()} deadlines`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      wheel.close();
    },
  };
}
