import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../http1/limits.ts';
import { requestType } from '../http1/llhttp.ts';
import { Parser } from '../http1/parser.ts';
import { RequestHead } from '../http1/request-head.ts';
import { ForwardedLines } from './forwarded.ts';

function headOf(lines: string): RequestHead {
  const message = new Parser(requestType);
  message.execute(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`));
  const head = new RequestHead(message);
  expect(head.read(defaultLimits)).toBeUndefined();
  return head;
}

describe('forwarded lines', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', 'for=192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1', 'for=192.0.2.1'],
    // RFC 7239 section 6: an IPv6 address is bracketed, and therefore quoted.
    ['2001:db8::1', '2001:db8::1', 'for="[2001:db8::1]"'],
  ])('of the peer %s', (peer, address, element) => {
    const lines = new ForwardedLines(peer, 'https', 443).lines(headOf(''), 0);
    expect(lines).toContain(`x-forwarded-for: ${address}\r\nx-forwarded-proto: https\r\n`);
    expect(lines).toContain('x-forwarded-host: a\r\nx-forwarded-port: 443\r\n');
    expect(lines).toContain(`forwarded: ${element};host="a";proto=https\r\n`);
    expect(lines).toContain('via: 1.1 gatehouse\r\n');
  });

  it.each([
    [0, 'x-forwarded-for: 1.1.1.1\r\n', '9.9.9.9'],
    [1, 'x-forwarded-for: 1.1.1.1, 2.2.2.2\r\n', '2.2.2.2'],
    [2, 'x-forwarded-for: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n', '1.1.1.1'],
    [3, 'x-forwarded-for: 1.1.1.1, 2.2.2.2\r\n', '1.1.1.1'],
    [1, '', '9.9.9.9'],
    [1, 'x-forwarded-for:\r\n', '9.9.9.9'],
  ])('name the client with %i trusted hops and "%s"', (hops, lines, client) => {
    expect(new ForwardedLines('9.9.9.9', 'http', 80).clientAddress(headOf(lines), hops)).toBe(
      client,
    );
  });
});
