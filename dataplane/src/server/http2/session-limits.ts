import type { Limits } from '../../http1/limits.ts';
import type { SessionLimits } from '../../http2/nghttp2/nghttp2.ts';

/** Bytes that an entry of a header list counts beside its name and value (RFC 9113 section 6.5.2). */
const fieldOverhead = 32;
/** Pseudo-header fields of a request (RFC 9113 section 8.3.1). */
const pseudoFields = 4;

/**
 * Bytes of a request body that a client may send before the first of them is read. What is not read stays
 * in memory: with `mostStreams` 32 MiB a connection at most.
 */
export const streamWindow = 256 * 1024;

/**
 * What a client may do on a connection. Beyond that, native/session.c closes a connection after 8 CONTINUATION
 * frames of one head (CVE-2024-27316), after 500 streams that are reset (CVE-2023-44487) and 33 a second, and after
 * 100 whose frames break the rules (CVE-2025-8671) and 33 a second; a flood of frames that do not is what
 * FloodWatch looks for.
 */
export function sessionLimits(limits: Limits): SessionLimits {
  return {
    mostStreams: 128,
    streamWindow,
    connectionWindow: 1024 * 1024,
    mostListSize: 2 * (limits.headBytes + fieldOverhead * limits.fields),
    // A head that is just too large is still read, and answered by 431.
    mostFields: 2 * (limits.fields + pseudoFields),
    // Each stream has some 100 KiB of its response at most that wait to be sent.
    mostMemory: 32 * 1024 * 1024,
  };
}
