/** Bounds on what a client may send. Every one has a default that suits a public gateway. */
export type Limits = {
  /** Bytes of a request head; 431 (RFC 6585 section 5). */
  headBytes: number;
  /** Field lines in a head; 431. */
  fields: number;
  /** Bytes of the request target; 414. */
  targetBytes: number;
  /** Bytes of a request body; 413. 0: no limit. */
  bodyBytes: number;
  /** Milliseconds for a whole head to arrive after its first byte; 408. */
  headTimeout: number;
  /** Milliseconds a connection may idle between requests. */
  keepAliveTimeout: number;
  /** Connections a worker thread holds; more are closed at once. */
  connections: number;
};

export const defaultLimits: Limits = {
  headBytes: 32_768,
  fields: 100,
  targetBytes: 8192,
  bodyBytes: 0,
  headTimeout: 10_000,
  keepAliveTimeout: 75_000,
  connections: 20_000,
};

/** Bytes of chunk sizes, extensions and trailers that may come without a byte of body between them. */
export const framingOverhead = 16_384;
