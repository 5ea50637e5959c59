export * from './generated/snapshot_pb.js';
export * from './resource-set.ts';
