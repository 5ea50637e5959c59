/** What every HTTP/2 connection begins with (RFC 9113 section 3.4). No request of HTTP/1.1 does. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** What the first bytes of a connection say of the version that its client speaks. */
export function greetingOf(bytes: Buffer): 'HTTP/2' | 'HTTP/1.1' | 'unclear' {
  const length = Math.min(bytes.length, preface.length);
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return 'HTTP/1.1';
  return length === preface.length ? 'HTTP/2' : 'unclear';
}
