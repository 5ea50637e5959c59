import { now } from '../state/clock.ts';
import { mixed } from '../state/hash.ts';
import type { Algorithm, Balancer } from './balancing/balancer.ts';
import { type SlowStart, setShares } from './balancing/slow-start.ts';
import type { Endpoint } from './endpoint.ts';
import { byZone } from './zones.ts';

export type SelectionSettings = {
  algorithm: Algorithm;
  slowStart: SlowStart | undefined;
  /** Below so many percent of endpoints in service, all are used. */
  panicPercent: number;
  anyZone: boolean;
};

/**
 * While so many of the endpoints of the zone are in service, they get all its requests; below, the rest
 * goes to other zones in proportion: those that are left are not to get much more than usual.
 */
const enoughNear = 0.7;

/** Times a balancer by key is asked with further keys for an endpoint in service. */
const furtherKeys = 32;

/**
 * Which of the endpoints of an upstream gets a request: those in service, of the zone first, by the
 * balancer. Made anew when the list changes.
 */
export class Selection {
  readonly endpoints: readonly Endpoint[];
  readonly #settings: SelectionSettings;
  readonly #clock: () => number;
  readonly #near: readonly Endpoint[];
  readonly #far: readonly Endpoint[];
  #nearBalancer: Balancer<Endpoint>;
  #farBalancer: Balancer<Endpoint> | undefined;
  /** Share of the requests for those of the zone; 1: all of them. */
  #nearShare = 1;
  /** So few are in service that all are used. */
  panics = false;
  /** When shares are to be set again; 0: never. */
  #nextShares = 0;

  /** @param zone of this data plane; "" when it is not known. */
  constructor(list: readonly Endpoint[], zone: string, settings: SelectionSettings, clock = now) {
    this.#settings = settings;
    this.#clock = clock;
    this.endpoints = list.filter(({ weight }) => weight > 0);
    const { near, far } = byZone(this.endpoints, settings.anyZone ? '' : zone);
    this.#near = near;
    this.#far = far;
    const { algorithm, slowStart } = settings;
    setShares(this.endpoints, slowStart, clock());
    this.#nearBalancer = algorithm.create(near);
    this.#farBalancer = far.length > 0 ? algorithm.create(far) : undefined;
    this.refresh();
  }

  /** Looks anew at who is in service. */
  refresh() {
    const { algorithm, panicPercent, slowStart } = this.#settings;
    this.#nextShares = setShares(this.endpoints, slowStart, this.#clock());
    const inService = (endpoint: Endpoint) => endpoint.available;
    const { endpoints } = this;
    const available = endpoints.filter(inService);
    this.panics = available.length < (endpoints.length * panicPercent) / 100;
    const near = this.panics ? this.#near : this.#near.filter(inService);
    const far = this.panics ? this.#far : this.#far.filter(inService);
    this.#nearShare = far.length === 0 ? 1 : nearShare(near.length, this.#near.length);
    if (this.panics && far.length > 0) this.#nearShare = near.length / endpoints.length;
    // A balancer by key knows all, so that keys of those in service stay where they are.
    if (algorithm.byKey) return;
    this.#nearBalancer = algorithm.create(near);
    this.#farBalancer = far.length > 0 ? algorithm.create(far) : undefined;
  }

  /** The endpoint for the next request; undefined when none is in service. */
  pick(key: number): Endpoint | undefined {
    if (this.#nextShares > 0) this.#ramp();
    const far = this.#farBalancer;
    if (far && this.#nearShare < 1 && this.#draw(key) >= this.#nearShare) {
      return this.#ask(far, key);
    }
    return this.#ask(this.#nearBalancer, key);
  }

  /**
   * The endpoint for a request that those in `tried` did not serve: of another zone, if there is one, and
   * none of `tried` as long as there are others.
   */
  pickOther(key: number, tried: readonly Endpoint[]): Endpoint | undefined {
    const balancer = this.#farBalancer ?? this.#nearBalancer;
    let found = this.#ask(balancer, key);
    if (tried.length >= this.endpoints.length) return found;
    for (let i = 1; i < 2 * this.endpoints.length && found && tried.includes(found); i++) {
      found = this.#ask(balancer, key + i);
    }
    if (found && !tried.includes(found)) return found;
    return this.endpoints.find((other) => this.#usable(other) && !tried.includes(other)) ?? found;
  }

  #usable(endpoint: Endpoint): boolean {
    return endpoint.available || this.panics;
  }

  /** Requests with the same key stay together. */
  #draw(key: number): number {
    return this.#settings.algorithm.byKey ? mixed(key ^ 0x5bd1e995) / 2 ** 32 : Math.random();
  }

  #ask(balancer: Balancer<Endpoint>, key: number): Endpoint | undefined {
    let found = balancer.pick(key);
    if (!this.#settings.algorithm.byKey) return found;
    for (let i = 1; i <= furtherKeys && found && !this.#usable(found); i++) {
      found = balancer.pick(mixed(key + i));
    }
    if (!found || this.#usable(found)) return found;
    return this.endpoints.find((endpoint) => this.#usable(endpoint));
  }

  #ramp() {
    if (this.#clock() >= this.#nextShares) this.refresh();
  }
}

function nearShare(inService: number, all: number): number {
  return Math.min(1, inService / all / enoughNear);
}
