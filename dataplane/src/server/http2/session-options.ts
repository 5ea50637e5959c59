import type { ServerSessionOptions } from 'node:http2';
import type { Limits } from '../../http1/limits.ts';

/** Bytes that an entry of a header list counts beside its name and value (RFC 9113 section 6.5.2). */
const fieldOverhead = 32;
/** Pseudo-header fields of a request (RFC 9113 section 8.3.1). */
const pseudoFields = 4;

/**
 * Bytes of a request body that a client may send before the first of them is read. What is not read stays
 * in memory: with `maxConcurrentStreams` 32 MiB a connection at most.
 */
export const streamWindow = 256 * 1024;

/**
 * What a client may do on a connection; nghttp2 and node:http2 see to it. Beyond what is set here, nghttp2
 * closes a connection after 8 CONTINUATION frames of one head (CVE-2024-27316) and after 10,000 frames that make
 * no sense where they come, by its defaults; a flood of frames that do is what FloodWatch looks for.
 */
export function sessionOptions(limits: Limits): ServerSessionOptions {
  return {
    // A head that is just too large is still read, and answered by 431.
    maxHeaderListPairs: 2 * (limits.fields + pseudoFields),
    strictSingleValueFields: false,
    // Rapid reset (CVE-2023-44487). A browser that leaves a page gives up some hundred requests at once,
    // and a client with deadlines of its own some each second; nghttp2 lets 1,000 pass, and 33 a second.
    streamResetBurst: 500,
    streamResetRate: 33,
    // Frames that break the rules of their stream: each could be a mistake, not a hundred. 1,000 by default.
    maxSessionInvalidFrames: 100,
    // Streams that we refused before they were requests; clients that know our settings open none. 100 by default.
    maxSessionRejectedStreams: 100,
    // We send none: an answer to one is wrong. 10 by default.
    maxOutstandingPings: 1,
    // Entries of a SETTINGS frame: RFC 9113 and its extensions know 9. 32 by default.
    maxSettings: 16,
    // Mebibytes of nghttp2's own, with what waits to be sent. New streams are refused beyond. 10 by default.
    maxSessionMemory: 10,
    settings: {
      enablePush: false,
      maxConcurrentStreams: 128,
      initialWindowSize: streamWindow,
      maxHeaderListSize: 2 * (limits.headBytes + fieldOverhead * limits.fields),
    },
  };
}
