import type { ServerSessionOptions } from 'node:http2';
import type { Limits } from '../../http1/limits.ts';

/** Bytes that an entry of a header list counts beside its name and value (RFC 9113 section 6.5.2). */
const fieldOverhead = 32;
/** Pseudo-header fields of a request (RFC 9113 section 8.3.1). */
const pseudoFields = 4;

/** What a client may do on a connection; nghttp2 and node:http2 see to it. */
export function sessionOptions(limits: Limits): ServerSessionOptions {
  return {
    // A head that is just too large is still read, and answered by 431.
    maxHeaderListPairs: 2 * (limits.fields + pseudoFields),
    strictSingleValueFields: false,
    settings: {
      enablePush: false,
      maxConcurrentStreams: 128,
      initialWindowSize: 1 << 20,
      maxHeaderListSize: 2 * (limits.headBytes + fieldOverhead * limits.fields),
    },
  };
}
