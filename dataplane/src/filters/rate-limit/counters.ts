import { randomBytes } from 'node:crypto';
import { createShareMemory, createTableMemory, SharedTable } from '../../state/shared-table.ts';
import type { Family } from '../../telemetry/families.ts';
import { adaptiveShape } from './adaptive/shape.ts';
import { CounterTable, tableBytes } from './counter-table.ts';
import { giveBackHeld, Holdings, holdingsBytes } from './holdings.ts';
import { KeyedHash } from './keyed-hash.ts';

export const rateLimitOverflow: Family = {
  name: 'gatehouse_rate_limit_overflow_total',
  type: 'counter',
  help: 'Requests that found no counter of their own, because all near it are in use.',
};

/** What the threads of a data plane share for their counters, and what one of them has in it. */
export type CounterMemory = {
  table: SharedArrayBuffer;
  /** Two numbers of 32 random bits, by which keys are hashed. */
  key: [number, number];
  /** Number of the thread, from 1. */
  owner: number;
  /** What this thread holds of concurrency. */
  holdings: SharedArrayBuffer;
  /** How well services are, and what this thread holds of that. */
  adaptive: SharedArrayBuffer;
  adaptiveShare: SharedArrayBuffer;
};

/** Memory for one data plane, as its first thread has it. */
export function createCounterMemory(): CounterMemory {
  const random = randomBytes(8);
  return {
    table: new SharedArrayBuffer(tableBytes),
    key: [random.readInt32LE(0), random.readInt32LE(4)],
    owner: 1,
    holdings: new SharedArrayBuffer(holdingsBytes),
    adaptive: createTableMemory(adaptiveShape),
    adaptiveShare: createShareMemory(adaptiveShape),
  };
}

/** The same for another thread. */
export function counterMemoryOf(memory: CounterMemory, owner: number): CounterMemory {
  return {
    ...memory,
    owner,
    holdings: new SharedArrayBuffer(holdingsBytes),
    adaptiveShare: createShareMemory(adaptiveShape),
  };
}

/** Gives back what a thread that has ended held, and its locks. */
export function releaseCounters(memory: CounterMemory): void {
  const { table, owner, holdings, adaptiveShare } = memory;
  const counters = new CounterTable(table, () => undefined, main);
  counters.unlockAllOf(owner);
  giveBackHeld(holdings, counters);
  adaptiveTable(memory).releaseAll(adaptiveShare, () => undefined);
}

export function adaptiveTable({ adaptive, adaptiveShare }: CounterMemory): SharedTable {
  return new SharedTable(adaptiveShape, adaptive, adaptiveShare);
}

/** The owner of what the main thread locks for others. */
const main = 2 ** 31 - 1;

/** The counters of rate limits, as a thread sees them. */
export type Counters = {
  table: CounterTable;
  holdings: Holdings;
  hash: KeyedHash;
  /** Data planes that share the limits whose store is Shared; at least 1. */
  replicas: number;
};

export function createCounters(memory: CounterMemory, onOverflow: () => void): Counters {
  return {
    table: new CounterTable(memory.table, onOverflow, memory.owner),
    holdings: new Holdings(memory.holdings),
    hash: new KeyedHash(memory.key),
    replicas: 1,
  };
}
