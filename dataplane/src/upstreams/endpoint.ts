import type { Candidate } from './balancing/balancer.ts';
import type { Pool } from './pool.ts';

export type EndpointAddress = {
  address: string;
  port: number;
  weight: number;
  /** Zones whose data planes should use it first. */
  hintedZones: readonly string[];
};

/** One endpoint of an upstream, as a thread sees it: what picking goes by, and its connections. */
export class Endpoint implements Candidate {
  /** "<address> <port>" */
  readonly id: string;
  pool: Pool;
  weight = 0;
  hintedZones: readonly string[] = [];
  share = 0;
  active = 0;
  credit = 0;
  latency = 0;
  latencyAt = 0;
  /** When it was first, or again, in service; on the clock of `now()`. */
  since: number;
  /** Balancing goes by how fast it answers. */
  timed = false;
  /** In service: neither ejected nor found unhealthy. */
  available = true;

  constructor(id: string, pool: Pool, since: number) {
    this.id = id;
    this.pool = pool;
    this.since = since;
  }

  get address(): string {
    return this.pool.address;
  }

  get port(): number {
    return this.pool.port;
  }
}

export function endpointId(address: string, port: number): string {
  return `${address} ${port}`;
}
