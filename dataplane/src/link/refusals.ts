import type { Kind } from '@gatehouse/snapshot';

/** Why a resource cannot be put to work; the controller holds it back and says so in its status. */
export type RefusedResource = { kind: Kind; name: string; path: string; reason: string };
