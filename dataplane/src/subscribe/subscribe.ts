import { Code, ConnectError } from '@connectrpc/connect';
import { type FromDataPlane, Lane, type Update } from '@gatehouse/snapshot';
import type { Logger } from 'pino';
import { type BackOff, defaultBackOff, delayOf, pause } from './back-off.ts';
import { type Address, connect } from './connection.ts';
import { type Answer, type Apply, type Held, type Refused, SubscribedLane } from './lanes.ts';
import { answerOf, healthOf, helloOf, resendOf } from './messages.ts';
import { Outbox } from './outbox.ts';
import { Resyncs } from './resyncs.ts';

export interface SubscribeOptions extends Omit<Address, 'ca'> {
  /** As in Address, or where to read it before each attempt (the controller's own authority rotates). */
  ca: Address['ca'] | (() => Promise<string>);
  /** The bearer token, or where to read it before each attempt (projected tokens rotate). */
  token: string | (() => string | Promise<string>);
  /** Unique in the fleet. */
  node: string;
  zone: string;
  release: string;
  apply: Apply;
  /**
   * What is on this machine already, e.g. from the last-known-good file: only the difference is asked
   * for. It is put in use by the first update, whatever that changes, or by `useHeld`.
   */
  held?: Held | undefined;
  /** Called with how many data planes share limits, whenever the controller says another number. */
  onReplicas?: ((replicas: number) => void) | undefined;
  log?: Pick<Logger, 'info' | 'warn' | 'error'> | undefined;
  backOff?: BackOff;
}

export interface SubscriptionState {
  /** True from the first update of a stream until the stream ends. */
  connected: boolean;
  /** True once both lanes were confirmed or applied on the present stream. */
  current: boolean;
  configVersion: string;
  endpointsVersion: string;
  /** Updates that were refused since the start. */
  refused: number;
  /** Why there is no stream, or why the last update was refused. */
  lastError: string | undefined;
}

export interface Subscription {
  /**
   * Asks for everything again and resolves when both lanes were applied.
   * @throws when that takes longer than `timeoutMs` (10,000 by default) or an update is refused.
   */
  resync(timeoutMs?: number): Promise<void>;
  /**
   * Puts what is held in use without a controller, unless an update came first. Takes its turn among
   * the updates, so that older config never replaces newer.
   * @returns refusals; empty when all went well or there was no need.
   */
  useHeld(): Promise<Refused[]>;
  /** Tells the controller all that does not work at run time, now and on every later stream. */
  tellHealth(problems: Refused[]): void;
  /** Resolves when the stream has ended and the last `apply` has returned. */
  close(): Promise<void>;
  state(): SubscriptionState;
}

/**
 * Keeps a data plane at what the controller pushes, across lost streams and controller restarts.
 * @throws TypeError when the URL is not https.
 */
export function subscribe(options: SubscribeOptions): Subscription {
  if (new URL(options.url).protocol !== 'https:') {
    throw new TypeError(`Cannot subscribe to "${options.url}": the controller speaks https only`);
  }
  const { log, backOff = defaultBackOff } = options;
  const config = new SubscribedLane(Lane.CONFIG, options.held?.config);
  const endpoints = new SubscribedLane(Lane.ENDPOINTS, options.held?.endpoints);
  const closing = new AbortController();
  const resyncs = new Resyncs();
  const confirmed = new Set<Lane>();
  let outbox: Outbox<FromDataPlane> | undefined;
  let problems: Refused[] = [];
  let attempt = 0;
  let refused = 0;
  let connected = false;
  let lastError: string | undefined;
  let replicas = options.held?.replicas ?? 0;
  let turn: Promise<unknown> = Promise.resolve();

  /** One `apply` at a time. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work);
    turn = next.catch(() => undefined);
    return next;
  }

  async function take(update: Update): Promise<void> {
    connected = true;
    if (update.replicas > 0 && update.replicas !== replicas) {
      replicas = update.replicas;
      options.onReplicas?.(replicas);
    }
    const answer = await answerTo(update);
    const { lane } = update;
    if (answer.ok) {
      attempt = 0;
      lastError = undefined;
      confirmed.add(lane);
      resyncs.applied(lane, update.full);
    } else {
      refused++;
      lastError = answer.reason;
      log?.warn({ lane, version: answer.version, resend: answer.resend }, answer.reason);
      if (!answer.resend) resyncs.failed(answer.reason);
    }
    outbox?.send(answerOf(lane, answer));
  }

  async function answerTo(update: Update): Promise<Answer> {
    const { lane, version } = update;
    try {
      const target = [config, endpoints].find((one) => one.lane === lane);
      if (target === undefined) throw new Error(`lane ${lane} is unknown to this release`);
      return await inTurn(() => target.take(update, options.apply));
    } catch (error) {
      log?.error({ err: error, lane }, 'Cannot apply an update');
      const reason = `Cannot apply version "${version}": ${textOf(error)}`;
      return { ok: false, version, refusals: [], resend: false, reason };
    }
  }

  async function stream(): Promise<void> {
    const { token } = options;
    const bearer = typeof token === 'string' ? token : await token();
    const held = { config: config.set, endpoints: endpoints.set };
    const ours = new Outbox<FromDataPlane>();
    ours.send(helloOf({ ...options, replicas }, resyncs.pending ? undefined : held));
    if (problems.length > 0) ours.send(healthOf(problems));
    outbox = ours;
    const ca = typeof options.ca === 'function' ? await options.ca() : options.ca;
    const connection = connect({ ...options, ca }, bearer, ours, closing.signal);
    try {
      for await (const update of connection.updates) await take(update);
      throw new ConnectError('the controller ended the stream', Code.Unavailable);
    } finally {
      outbox = undefined;
      ours.close();
      connection.close();
      connected = false;
      confirmed.clear();
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await stream();
      } catch (error) {
        if (closing.signal.aborted) break;
        const reason = textOf(error);
        // Said once per outage, not once per attempt.
        if (reason !== lastError) log?.warn({ url: options.url }, `No controller: ${reason}`);
        lastError = reason;
        // Aborted: a newer data plane has the node name. Do not fight for it at full speed.
        if (ConnectError.from(error).code === Code.Aborted) attempt = 30;
      }
      await pause(delayOf(attempt++, backOff), closing.signal);
    }
  }

  const running = run();
  return {
    resync(timeoutMs = 10_000) {
      const done = resyncs.begin(timeoutMs);
      for (const { lane, version } of [endpoints, config]) outbox?.send(resendOf(lane, version));
      return done;
    },
    useHeld: () =>
      inTurn(async () => {
        const refusals: Refused[] = [];
        for (const lane of [endpoints, config]) {
          const applied = await lane.useHeld(options.apply);
          if (applied?.ok === false) refusals.push(...applied.refusals);
        }
        return refusals;
      }),
    tellHealth(next) {
      problems = next;
      outbox?.send(healthOf(next));
    },
    async close() {
      closing.abort();
      resyncs.failed('the subscription was closed');
      await running;
      await turn;
    },
    state: () => ({
      connected,
      current: confirmed.size === 2,
      configVersion: config.version,
      endpointsVersion: endpoints.version,
      refused,
      lastError,
    }),
  };
}

function textOf(error: unknown): string {
  if (error instanceof ConnectError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
