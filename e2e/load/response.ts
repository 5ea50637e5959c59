/** One answer of HTTP/1.1 with a Content-Length, which is all that the backends of the suites send. */
export type Response = {
  status: number;
  body: string;
  /** Whether the connection may be used again. */
  keepAlive: boolean;
};

/**
 * The answer at the beginning of what a connection received; undefined while it is incomplete.
 * @throws Error when it is no answer, or more than one
 */
export function responseOf(received: string): Response | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) {
    if (received.length > 65_536) throw new Error('no end of a head in 65,536 bytes');
    return undefined;
  }
  const head = received.slice(0, end + 2);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  if (status === undefined) throw new Error(`no status line: ${JSON.stringify(head.slice(0, 80))}`);
  const length = Number(/\r\ncontent-length: *(\d+) *\r\n/i.exec(head)?.[1]);
  if (!Number.isInteger(length)) throw new Error(`no Content-Length in an answer ${status}`);
  const body = received.slice(end + 4);
  if (body.length < length) return undefined;
  if (body.length > length) throw new Error('bytes behind the answer');
  const keepAlive = !/\r\nconnection: *close *\r\n/i.test(head);
  return { status: Number(status), body, keepAlive };
}
