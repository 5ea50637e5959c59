import { randomBytes } from 'node:crypto';
import type { Family } from '../../telemetry/families.ts';
import { CounterTable, tableBytes } from './counter-table.ts';
import { KeyedHash } from './keyed-hash.ts';

export const rateLimitOverflow: Family = {
  name: 'gatehouse_rate_limit_overflow_total',
  type: 'counter',
  help: 'Requests that found no counter of their own, because all near it are in use.',
};

/** What the threads of a data plane share for their counters. */
export type CounterMemory = {
  table: SharedArrayBuffer;
  /** Two numbers of 32 random bits, by which keys are hashed. */
  key: [number, number];
};

/** Memory for one data plane. */
export function createCounterMemory(): CounterMemory {
  const random = randomBytes(8);
  return {
    table: new SharedArrayBuffer(tableBytes),
    key: [random.readInt32LE(0), random.readInt32LE(4)],
  };
}

/** The counters of rate limits, as a thread sees them. */
export type Counters = {
  table: CounterTable;
  hash: KeyedHash;
  /** Data planes that share the limits whose store is Shared; at least 1. */
  replicas: number;
};

export function createCounters(memory: CounterMemory, onOverflow: () => void): Counters {
  return {
    table: new CounterTable(memory.table, onOverflow),
    hash: new KeyedHash(memory.key),
    replicas: 1,
  };
}
