/** An answer that the gateway gives itself. */
export type Reply = {
  status: number;
  body: Buffer;
  /** Complete field lines besides content-length, x-request-id and connection; each ended by CRLF. */
  fields: string;
  /** For calls of gRPC, when another one says more than the one that goes with `status`. */
  grpcStatus?: number;
};

const reasons: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** Reason phrase (RFC 9112 section 4; it may be empty). */
export function reasonOf(status: number): string {
  return reasons[status] ?? '';
}

/** `{"error": "..."}`. The id by which the request is found in logs is in x-request-id. */
export function errorReply(status: number, error: string): Reply {
  return {
    status,
    body: Buffer.from(JSON.stringify({ error })),
    fields: 'content-type: application/json\r\n',
  };
}
