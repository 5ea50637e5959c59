import type { TimerWheel } from '../state/timer-wheel.ts';
import { EndpointPool, type PoolSettings } from './endpoint-pool.ts';
import { createPicker, type Picker } from './weighted.ts';

export type EndpointAddress = { address: string; port: number; weight: number; zone: string };

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

  /** Replaces the endpoints. Connections to those that stay are kept, running exchanges finish. */
  setEndpoints(endpoints: readonly EndpointAddress[]) {
    const pools = new Map<string, EndpointPool>();
    const entries = endpoints.map(({ address, port, weight }) => {
      const key = `${address} ${port}`;
      const pool =
        pools.get(key) ??
        this.#pools.get(key) ??
        new EndpointPool(address, port, this.#settings, this.wheel);
      pools.set(key, pool);
      return { item: pool, weight };
    });
    for (const [key, pool] of this.#pools) if (!pools.has(key)) pool.close();
    this.#pools = pools;
    this.#pick = createPicker(entries);
  }

  /** The endpoint for the next request; undefined when there is none. */
  pick(): EndpointPool | undefined {
    return this.#pick();
  }

  get size(): number {
    return this.#pools.size;
  }

  close() {
    for (const pool of this.#pools.values()) pool.close();
  }
}
