import type { TimerWheel } from '../state/timer-wheel.ts';
import { EndpointPool, type PoolSettings } from './endpoint-pool.ts';
import { createPicker, type Picker } from './weighted.ts';
import { byZone } from './zones.ts';

export type EndpointAddress = {
  address: string;
  port: number;
  weight: number;
  /** Zones whose data planes should use it first. */
  hintedZones: readonly string[];
};

/**
 * A group of endpoints that do the same job, with its connections. It lives as long as some snapshot
 * names it: pools and the place in the rotation survive a swap.
 */
export class Upstream {
  readonly name: string;
  /** What metrics and GET /services call it. */
  label: string;
  #settings: PoolSettings;
  readonly wheel: TimerWheel;
  /** Mirrored requests under way. */
  copies = 0;
  #pools = new Map<string, EndpointPool>();
  #pick: Picker<EndpointPool> = () => undefined;
  #pickOther: Picker<EndpointPool> = () => undefined;

  constructor(name: string, label: string, settings: PoolSettings, wheel: TimerWheel) {
    this.name = name;
    this.label = label;
    this.#settings = settings;
    this.wheel = wheel;
  }

  configure(label: string, settings: PoolSettings) {
    this.label = label;
    this.#settings = settings;
    for (const pool of this.#pools.values()) pool.settings = settings;
  }

  /**
   * Replaces the endpoints. Connections to those that stay are kept, running exchanges finish.
   * @param zone of this data plane; "" when it is not known.
   */
  setEndpoints(endpoints: readonly EndpointAddress[], zone: string) {
    const pools = new Map<string, EndpointPool>();
    const entries = endpoints.map(({ address, port, weight, hintedZones }) => {
      const key = `${address} ${port}`;
      const pool =
        pools.get(key) ??
        this.#pools.get(key) ??
        new EndpointPool(address, port, this.#settings, this.wheel);
      pools.set(key, pool);
      return { item: pool, weight, hintedZones };
    });
    for (const [key, pool] of this.#pools) if (!pools.has(key)) pool.close();
    this.#pools = pools;
    const { near, far } = byZone(entries, zone);
    this.#pick = createPicker(near);
    this.#pickOther = far.length === 0 ? this.#pick : createPicker(far);
  }

  /** The endpoint for the next request; undefined when there is none. */
  pick(): EndpointPool | undefined {
    return this.#pick();
  }

  /** The endpoint for a request that one could not be reached for: of another zone, if there is one. */
  pickOther(): EndpointPool | undefined {
    return this.#pickOther();
  }

  get size(): number {
    return this.#pools.size;
  }

  close() {
    for (const pool of this.#pools.values()) pool.close();
  }
}
