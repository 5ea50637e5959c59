import { contentAt, type TableShape } from '../../state/shared-table.ts';

/** What the threads of a data plane know together about an endpoint; see UpstreamWord. */
export const EndpointWord = {
  /** Bits of OutOfService; 0: in service. */
  flags: contentAt,
  /** 5xx answers and failures since the last success, and those of a gateway. */
  errors: contentAt + 1,
  gatewayErrors: contentAt + 2,
  /** Since rates were compared last. */
  requests: contentAt + 3,
  successes: contentAt + 4,
  /** Times it was ejected, less those that were taken back. */
  ejections: contentAt + 5,
  /** Index in ejectionReasons. */
  reason: contentAt + 6,
} as const;

export const EndpointNumber = {
  ejectedUntil: contentAt + 8,
  /** When it went out of service or came back; on the clock of `now()`. */
  changedAt: contentAt + 10,
} as const;

/** Why an endpoint is out of service. */
export const OutOfService = { ejected: 1, unhealthy: 2 } as const;

export const ejectionReasons = [
  'consecutive errors',
  'consecutive gateway errors',
  'success rate',
] as const;
export type EjectionReason = (typeof ejectionReasons)[number];

/** 65,536 endpoints, 4 MiB; pages are touched when used. */
export const endpointShape: TableShape = { rows: 65_536, words: 16, shareWords: 1 };
