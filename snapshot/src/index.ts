export * from './api-keys.ts';
export * from './generated/snapshot_pb.js';
export { type Ledger, ledgerOf } from './ledger.ts';
export * from './policy-secret.ts';
export * from './resource-set.ts';
export * from './rules-in-force.ts';
export * from './upstream-secret.ts';
