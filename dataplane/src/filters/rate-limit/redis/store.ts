import { now } from '../../../state/clock.ts';
import { fixedWindow } from '../algorithms.ts';
import { type KeyedDemand, questionOf, readAnswer, type Taken } from './answer.ts';
import { Breaker } from './breaker.ts';
import { type ClientEvents, connectRedis, type RedisClient } from './client.ts';
import { faultOf } from './fault.ts';
import { RefusedKeys } from './refused-keys.ts';
import type { RedisSettings } from './settings.ts';

/** What became of a question; counted in a metric. */
export type RedisOutcome = 'answered' | 'failed' | 'unavailable' | 'spared';

/** A policy in force that counts there. Hears why it cannot be asked, and with undefined that it can. */
export type StoreWatcher = { tell(fault: string | undefined): void };

type Connect = (settings: RedisSettings, events: ClientEvents) => Promise<RedisClient>;

/** Questions that may wait for an answer at a time. */
const mostWaiting = 4096;
/** Milliseconds after a probe that failed in which a new connection is not probed at once. */
const calm = 1000;
/** The lane of the connection as a whole; in a cluster each hash tag has one beside it. */
const connection = '';

/** A Redis as a thread sees it: asked only while it is there, and never for longer than its timeout. */
export class RedisStore {
  readonly refused = new RefusedKeys();
  /** Called when no policy in force counts there any more. */
  onUnwatched: () => void = () => undefined;
  readonly #settings: RedisSettings;
  readonly #connect: Connect;
  readonly #count: (outcome: RedisOutcome) => void;
  readonly #watchers = new Set<StoreWatcher>();
  readonly #breakers = new Map<string, Breaker>();
  readonly #faults = new Map<string, string>();
  #client: RedisClient | undefined;
  #opened = false;
  #waiting = 0;
  #probeFailedAt = Number.NEGATIVE_INFINITY;
  #told: string | undefined;

  constructor(
    settings: RedisSettings,
    count: (outcome: RedisOutcome) => void,
    connect: Connect = connectRedis,
  ) {
    this.#settings = settings;
    this.#connect = connect;
    this.#count = count;
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Connects, in the background. */
  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    const breaker = this.#breakerOf(connection);
    const events: ClientEvents = {
      // What it is, and whether it lets us in, shows at the first question. Some end the connection then.
      ready: () => {
        if (now() < this.#probeFailedAt + calm) breaker.open();
        else void breaker.probe();
      },
      lost: (error) => {
        if (!this.#opened) return;
        this.#faults.set(connection, faultOf(error, this.#settings));
        breaker.open();
        this.#tell();
      },
    };
    this.#connect(this.#settings, events).then((client) => {
      if (this.#opened) this.#client = client;
      else client.close();
    }, events.lost);
  }

  /** Keys of the same lane can be in one question. @param tag of the keys. */
  laneOf(tag: string): string {
    return this.#settings.mode === 'Cluster' ? tag : connection;
  }

  /** Whether a question can be sent now. */
  available(lane: string): boolean {
    const good =
      this.#client?.ready === true &&
      this.#waiting < mostWaiting &&
      this.#breakerOf(connection).closed &&
      this.#breakerOf(lane).closed;
    if (!good) this.#count('unavailable');
    return good;
  }

  /** Judges and takes in one step. Undefined when it cannot be told; never rejects. */
  async take(lane: string, demands: readonly KeyedDemand[]): Promise<Taken | undefined> {
    const breaker = this.#breakerOf(lane);
    try {
      const taken = await this.#ask('take', demands);
      breaker.succeeded();
      this.#count('answered');
      const at = now();
      for (const demand of demands) if (!demand.allowed) this.refused.remember(demand, at);
      return taken;
    } catch (error) {
      this.#failed(lane, error);
      breaker.failed();
      return undefined;
    }
  }

  /** Gives back what was taken, as well as that can be done. @param at of the taking. */
  giveBack(lane: string, demands: readonly KeyedDemand[], at: number): void {
    this.#ask(at, demands).catch((error: unknown) => this.#failed(lane, error));
  }

  /** For whoever is answered without a question. */
  spared(): void {
    this.#count('spared');
  }

  /** Returns what ends it. */
  watch(watcher: StoreWatcher): () => void {
    this.#watchers.add(watcher);
    this.open();
    if (this.#told !== undefined) watcher.tell(this.#told);
    return () => {
      this.#watchers.delete(watcher);
      watcher.tell(undefined);
      if (!this.watched) this.onUnwatched();
    };
  }

  close(): void {
    this.#opened = false;
    this.#client?.close();
    this.#client = undefined;
    for (const breaker of this.#breakers.values()) breaker.stop();
  }

  #failed(lane: string, error: unknown): void {
    this.#count('failed');
    this.#faults.set(lane, faultOf(error, this.#settings));
  }

  /** @throws when there is no sound answer in time. */
  #ask(order: 'take' | number, demands: readonly KeyedDemand[]): Promise<Taken> {
    const { keys, values } = questionOf(demands);
    const client = this.#client;
    if (!client) return Promise.reject(new Error('Connection is closed'));
    this.#waiting++;
    const answered = client.run(keys, [order, ...values]).finally(() => this.#waiting--);
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(new Error('no answer in time'));
      }, this.#settings.timeout);
      answered
        .then((answer) => {
          // Whoever has given up may use the demands otherwise.
          if (!late) resolve(order === 'take' ? readAnswer(answer, demands) : taken);
        })
        .catch(reject)
        .finally(() => clearTimeout(timer));
    });
  }

  #breakerOf(lane: string): Breaker {
    let breaker = this.#breakers.get(lane);
    if (!breaker) {
      breaker = new Breaker(
        lane !== connection,
        () => this.#probe(lane),
        () => this.#tell(),
      );
      this.#breakers.set(lane, breaker);
    }
    return breaker;
  }

  /** A question like others, at a key of its own that is gone a millisecond later. */
  async #probe(lane: string): Promise<boolean> {
    if (!this.#client?.ready) return false;
    const tag = lane === connection ? `${this.#settings.keyPrefix}:{probe}` : lane;
    try {
      await this.#ask('take', [probeOf(tag)]);
      return true;
    } catch (error) {
      this.#probeFailedAt = now();
      this.#faults.set(lane, faultOf(error, this.#settings));
      this.#tell();
      return false;
    }
  }

  #tell(): void {
    const open = [...this.#breakers].find(([, { closed }]) => !closed)?.[0];
    const fault = open === undefined ? undefined : this.#faults.get(open);
    if (fault === this.#told) return;
    this.#told = fault;
    for (const { tell } of this.#watchers) tell(fault);
  }
}

const taken: Taken = { allowed: true, at: 0 };

function probeOf(tag: string): KeyedDemand {
  return {
    key: `${tag}:probe`,
    algorithm: fixedWindow,
    limit: 1,
    window: 1,
    burst: 1,
    cost: 0,
    high: 0,
    low: 0,
    allowed: false,
    remaining: 0,
    resetAfter: 0,
    retryAfter: 0,
  };
}
