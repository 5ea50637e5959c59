import {
  createShareMemory,
  createTableMemory,
  type Row,
  SharedTable,
} from '../../state/shared-table.ts';
import { giveUpProbes } from '../breaker.ts';
import { endpointShape } from './endpoint-row.ts';
import { UpstreamShare, UpstreamWord, upstreamShape } from './upstream-row.ts';

/** What the threads of a data plane share to know together of their upstreams; it outlives them. */
export type UpstreamMemory = { upstreams: SharedArrayBuffer; endpoints: SharedArrayBuffer };

export function createUpstreamMemory(): UpstreamMemory {
  return {
    upstreams: createTableMemory(upstreamShape),
    endpoints: createTableMemory(endpointShape),
  };
}

/** What one thread holds of it. */
export function createUpstreamShare(): UpstreamMemory {
  return {
    upstreams: createShareMemory(upstreamShape),
    endpoints: createShareMemory(endpointShape),
  };
}

/** The tables as one thread sees them. */
export type UpstreamTables = { upstreams: SharedTable; endpoints: SharedTable };

export function upstreamTables(memory: UpstreamMemory, share: UpstreamMemory): UpstreamTables {
  return {
    upstreams: new SharedTable(upstreamShape, memory.upstreams, share.upstreams),
    endpoints: new SharedTable(endpointShape, memory.endpoints, share.endpoints),
  };
}

/** Tables of a thread that shares with nobody. */
export function ownUpstreamTables(): UpstreamTables {
  return upstreamTables(createUpstreamMemory(), createUpstreamShare());
}

/** Gives back what a thread held that is gone: requests under way, probes, rows. */
export function takeBack(tables: UpstreamTables, share: UpstreamMemory) {
  tables.upstreams.releaseAll(share.upstreams, giveBackUpstream);
  tables.endpoints.releaseAll(share.endpoints, () => undefined);
}

/** Gives back what the thread holds whose share the row names. */
export function giveBackUpstream(row: Row) {
  giveUpProbes(row);
  giveBackCount(row, UpstreamWord.requests, UpstreamShare.requests);
  giveBackCount(row, UpstreamWord.retries, UpstreamShare.retries);
  giveBackCount(row, UpstreamWord.pending, UpstreamShare.pending);
}

function giveBackCount({ words, at, share, shareAt }: Row, word: number, held: number) {
  Atomics.sub(words, at + word, share[shareAt + held] ?? 0);
  share[shareAt + held] = 0;
}
