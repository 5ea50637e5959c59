import { Balancing_Algorithm } from '@gatehouse/snapshot';
import type { Algorithm } from './balancer.ts';
import { leastRequest } from './least-request.ts';
import { maglev } from './maglev.ts';
import { peakEwma } from './peak-ewma.ts';
import { random } from './random.ts';
import { ringHash } from './ring-hash.ts';
import { roundRobin } from './round-robin.ts';

/** Every way to share requests out, by its number in a snapshot. */
export const algorithms: Readonly<Partial<Record<Balancing_Algorithm, Algorithm>>> = {
  [Balancing_Algorithm.ALGORITHM_UNSPECIFIED]: roundRobin,
  [Balancing_Algorithm.ROUND_ROBIN]: roundRobin,
  [Balancing_Algorithm.RANDOM]: random,
  [Balancing_Algorithm.LEAST_REQUEST]: leastRequest,
  [Balancing_Algorithm.PEAK_EWMA]: peakEwma,
  [Balancing_Algorithm.RING_HASH]: ringHash,
  [Balancing_Algorithm.MAGLEV]: maglev,
};
