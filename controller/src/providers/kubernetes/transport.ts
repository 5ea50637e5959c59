import type { Readable } from 'node:stream';

/** A request on its way to the API server. */
export interface Outgoing {
  method: string;
  /** With the query. */
  path: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal;
}

/** The head of an answer; what follows is read from `body`. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

/** Connections to one server, trusted and authenticated in one way. */
export interface Transport {
  open(outgoing: Outgoing): Promise<Answer>;
  /** Closes each connection when nothing is under way on it any more. */
  retire(): void;
  /** Cuts all connections. */
  close(): void;
}

/** What a connection is made with: options of node:tls. */
export interface Trust {
  ca?: unknown;
  cert?: unknown;
  key?: unknown;
  rejectUnauthorized?: unknown;
  servername?: unknown;
}

/** Milliseconds. A server that is silent is noticed after at most the sum of the first two. */
export interface Pulse {
  interval: number;
  timeout: number;
  /** Until a connection can be used. */
  connect: number;
}

export const defaultPulse: Pulse = { interval: 3000, timeout: 3000, connect: 5000 };

/** Said of every request that was under way when the silence was noticed. */
export const silent = 'the API server does not answer';

/**
 * Calls back after so many milliseconds, but never because this process itself was busy: what arrived
 * meanwhile is read first.
 */
export function deadline(milliseconds: number, onLate: () => void): { stop(): void } {
  let timer = setTimeout(() => {
    timer = setTimeout(onLate, Math.min(milliseconds, 100));
  }, milliseconds);
  return { stop: () => clearTimeout(timer) };
}

/** Waits for a promise, but not longer than the signal allows. */
export function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
