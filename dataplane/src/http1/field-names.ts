/**
 * Which field lines an intermediary treats in a special way. Names are told apart by length first,
 * so an ordinary field costs one switch and at most one comparison.
 */
export const Field = {
  ordinary: 0,
  /**
   * Never forwarded: hop-by-hop (RFC 9110 section 7.6.1), what asks the gateway itself for something, or a
   * spelling that backends may fold to a field we set.
   */
  dropped: 1,
  host: 2,
  contentLength: 3,
  transferEncoding: 4,
  connection: 5,
  expect: 6,
  requestId: 7,
  forwardedFor: 8,
  forwardedProto: 9,
  forwardedHost: 10,
  forwardedPort: 11,
  forwarded: 12,
  clientType: 13,
  date: 14,
  /** Sent by a client although only the gateway may; no code reads it. */
  guarded: 15,
} as const;
export type FieldCode = (typeof Field)[keyof typeof Field];

/**
 * True when `text[start, start + name.length)` is `name`, any case. `name` is lower-case.
 * "_" counts as "-": CGI-like backends read X_Forwarded_For as X-Forwarded-For.
 */
function is(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    let code = text.charCodeAt(start + i) | 0x20;
    // "_" | 0x20 is 0x7f, which no token holds.
    if (code === 0x7f) code = 0x2d;
    if (code !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The code when the name is spelled with hyphens, `dropped` when it only folds to it. */
function spelled(text: string, start: number, end: number, code: FieldCode): FieldCode {
  const underscore = text.indexOf('_', start);
  return underscore >= 0 && underscore < end ? Field.dropped : code;
}

/** Classifies the field name `text[start, end)`. */
export function fieldCode(text: string, start: number, end: number): FieldCode {
  // Proxy-Connection, Proxy-Authorization, Proxy-Authenticate, Proxy-Authentication-Info and whatever
  // else speaks to a proxy.
  if ((text.charCodeAt(start) | 0x20) === 0x70 && end - start > 6 && is(text, start, 'proxy-')) {
    return Field.dropped;
  }
  switch (end - start) {
    case 2:
      return is(text, start, 'te') ? Field.dropped : Field.ordinary;
    case 4:
      if (is(text, start, 'host')) return Field.host;
      return is(text, start, 'date') ? Field.date : Field.ordinary;
    case 6:
      return is(text, start, 'expect') ? Field.expect : Field.ordinary;
    case 7:
      return is(text, start, 'trailer') || is(text, start, 'upgrade')
        ? Field.dropped
        : Field.ordinary;
    case 9:
      return is(text, start, 'forwarded') ? Field.forwarded : Field.ordinary;
    case 10:
      if (is(text, start, 'connection')) return Field.connection;
      return is(text, start, 'keep-alive') ? Field.dropped : Field.ordinary;
    case 12:
      return is(text, start, 'x-request-id')
        ? spelled(text, start, end, Field.requestId)
        : Field.ordinary;
    case 13:
      return is(text, start, 'x-client-type')
        ? spelled(text, start, end, Field.clientType)
        : Field.ordinary;
    case 14:
      if (is(text, start, 'content-length')) return spelled(text, start, end, Field.contentLength);
      return is(text, start, 'http2-settings') ? Field.dropped : Field.ordinary;
    case 15:
      return is(text, start, 'x-forwarded-for')
        ? spelled(text, start, end, Field.forwardedFor)
        : Field.ordinary;
    case 16:
      if (is(text, start, 'x-forwarded-host'))
        return spelled(text, start, end, Field.forwardedHost);
      if (is(text, start, 'x-forwarded-port'))
        return spelled(text, start, end, Field.forwardedPort);
      return Field.ordinary;
    case 17:
      if (is(text, start, 'transfer-encoding')) {
        return spelled(text, start, end, Field.transferEncoding);
      }
      return is(text, start, 'x-forwarded-proto')
        ? spelled(text, start, end, Field.forwardedProto)
        : Field.ordinary;
    case 19:
      return is(text, start, 'x-gatehouse-retries') ? Field.dropped : Field.ordinary;
    case 22:
      return is(text, start, 'x-gatehouse-timeout-ms') ? Field.dropped : Field.ordinary;
    case 26:
      return is(text, start, 'x-gatehouse-try-timeout-ms') ? Field.dropped : Field.ordinary;
    default:
      return Field.ordinary;
  }
}
