import {
  type Ack,
  type FromDataPlane,
  type Hello,
  hex,
  type Key,
  Kind,
  keyOf,
  Lane,
  laneOf,
  type Nack,
  type Refusal,
  splitKey,
  type Update,
} from '@gatehouse/snapshot';
import { type EffectiveLane, isDependency } from './effective.ts';
import { SessionLane } from './session-lane.ts';

/** More are not remembered of one data plane. */
const mostTroubles = 1000;

/** The lanes of the fleet. */
export interface Lanes {
  config: EffectiveLane;
  endpoints: EffectiveLane;
  /** How many data planes share limits; 0 while that is not known. */
  replicas: number;
  /** That number is worth an update of its own. */
  shares: boolean;
}

/** What an answer of a data plane led to. */
export type Outcome = 'applied' | 'refused' | 'resent' | 'broken' | 'told' | 'ignored';

/** One data plane on one stream: decides what it is sent next. No clock and no I/O. */
export class Session {
  readonly node: string;
  readonly zone: string;
  readonly release: string;
  readonly config: SessionLane;
  readonly endpoints: SessionLane;
  /** What does not work at run time, by its own account. */
  troubles: readonly Refusal[] = [];
  readonly #lanes: Lanes;
  /** The number of replicas that it was told on this stream. */
  #replicas = 0;

  constructor({ node, zone, release, held }: Hello, lanes: Lanes) {
    const config = new Map<Key, string>();
    const endpoints = new Map<Key, string>();
    for (const { kind, name, hash } of held) {
      const manifest = laneOf(kind) === Lane.ENDPOINTS ? endpoints : config;
      manifest.set(keyOf(kind, name), hex(hash));
    }
    this.node = node;
    this.zone = zone;
    this.release = release;
    this.config = new SessionLane(Lane.CONFIG, config);
    this.endpoints = new SessionLane(Lane.ENDPOINTS, endpoints);
    this.#lanes = lanes;
  }

  /** True while an update of the lane is unanswered. */
  isWaiting(lane: Lane): boolean {
    return this.#lane(lane)?.waiting ?? false;
  }

  /** The next update to send; undefined when there is none now. Endpoints go first. */
  next(): Update | undefined {
    const update = this.#nextEndpoints() ?? this.#nextConfig();
    if (update === undefined) return undefined;
    this.#replicas = this.#lanes.replicas;
    update.replicas = this.#replicas;
    return update;
  }

  answer(message: FromDataPlane['message']): Outcome {
    if (message.case === 'ack') return this.#ack(message.value);
    if (message.case === 'nack') return this.#nack(message.value);
    if (message.case !== 'health') return 'ignored';
    this.troubles = message.value.problems.slice(0, mostTroubles);
    return 'told';
  }

  #nextConfig(): Update | undefined {
    const lane = this.#lanes.config;
    const { effective } = lane;
    if (effective === undefined) return undefined;
    const { missing, keep } = effective;
    if (missing.size + keep.size === 0) return this.config.next(effective);
    const holding = missing.size > 0;
    return this.config.next(
      effective,
      (key, hash) =>
        (keep.has(key) || missing.has(key) || (holding && isDependency(key))) &&
        !lane.isRefused(key, hash),
    );
  }

  #nextEndpoints(): Update | undefined {
    const lane = this.#lanes.endpoints;
    const { effective } = lane;
    if (effective === undefined) return undefined;
    const { missing, keep } = effective;
    return this.endpoints.next(
      effective,
      (key, hash) =>
        (missing.has(key) || keep.has(key) || this.#isServed(key)) && !lane.isRefused(key, hash),
      this.#lanes.shares && this.#replicas !== this.#lanes.replicas,
    );
  }

  /** Endpoints of an Upstream that is gone stay until no config that has it is in use. */
  #isServed(endpoints: Key): boolean {
    const upstream = keyOf(Kind.UPSTREAM, splitKey(endpoints).name);
    return this.config.manifest.has(upstream) && !this.#lanes.config.compiled.has(upstream);
  }

  #ack({ lane, version }: Ack): Outcome {
    const accepted = this.#lane(lane)?.ack(version);
    if (accepted === undefined) return 'ignored';
    this.#effective(lane).accept(accepted);
    return 'applied';
  }

  #nack(nack: Nack): Outcome {
    const answer = this.#lane(nack.lane)?.nack(nack);
    if (answer === undefined) return nack.resend ? 'resent' : 'ignored';
    if (answer.broken) return 'broken';
    if (nack.resend) return 'resent';
    for (const { kind, name, path, reason } of nack.refusals) {
      const key = keyOf(kind, name);
      const hash = answer.refused.get(key);
      if (hash === undefined) continue;
      this.#effective(nack.lane).refuse(key, hash, { node: this.node, path, reason });
    }
    return 'refused';
  }

  #lane(lane: Lane): SessionLane | undefined {
    return [this.config, this.endpoints].find((one) => one.lane === lane);
  }

  #effective(lane: Lane): EffectiveLane {
    return lane === Lane.ENDPOINTS ? this.#lanes.endpoints : this.#lanes.config;
  }
}
