import type { RequestHead } from '../http1/request-head.ts';

/**
 * The lines, up to the value of x-request-id, that tell an upstream who the client is: x-forwarded-for, -proto, -host, -port, Forwarded
 * (RFC 7239) and Via (RFC 9110 section 7.6.3). With 0 trusted hops whatever the client claims is
 * dropped; otherwise it is kept and our own view is appended.
 */
export class ForwardedLines {
  readonly #peer: string;
  readonly #scheme: 'http' | 'https';
  readonly #port: number;
  readonly #via: string;
  #authority: string | undefined;
  #lines = '';

  /** @param version of HTTP in which the requests come, e.g. "1.1". */
  constructor(
    remoteAddress: string,
    scheme: 'http' | 'https',
    port: number,
    version: '1.1' | '2.0' = '1.1',
  ) {
    this.#via = `via: ${version} gatehouse\r\nx-request-id: `;
    this.#peer = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
    this.#scheme = scheme;
    this.#port = port;
  }

  lines(head: RequestHead, trustedHops: number): string {
    if (trustedHops > 0) return this.#appended(head);
    if (head.authority !== this.#authority) {
      this.#authority = head.authority;
      this.#lines = this.#own(head.authority);
    }
    return this.#lines;
  }

  /**
   * Address of the client: the peer, or with trusted hops the entry of x-forwarded-for that the
   * outermost trusted proxy wrote.
   */
  clientAddress(head: RequestHead, trustedHops: number): string {
    if (trustedHops === 0) return this.#peer;
    const claimed = (head.header('x-forwarded-for') ?? '').split(',').map((part) => part.trim());
    return claimed[Math.max(0, claimed.length - trustedHops)] || this.#peer;
  }

  #own(authority: string): string {
    return (
      `x-forwarded-for: ${this.#peer}\r\nx-forwarded-proto: ${this.#scheme}\r\n` +
      `x-forwarded-host: ${authority}\r\nx-forwarded-port: ${this.#port}\r\n` +
      `forwarded: ${this.#element(authority)}\r\n${this.#via}`
    );
  }

  #element(authority: string): string {
    const node = this.#peer.includes(':') ? `"[${this.#peer}]"` : this.#peer;
    const host = authority === '' ? '' : `;host="${authority}"`;
    return `for=${node}${host};proto=${this.#scheme}`;
  }

  #appended(head: RequestHead): string {
    const before = (name: string) => {
      const value = head.header(name);
      return value === undefined || value === '' ? '' : `${value}, `;
    };
    const kept = (name: string, own: string) => head.header(name) || own;
    return (
      `x-forwarded-for: ${before('x-forwarded-for')}${this.#peer}\r\n` +
      `x-forwarded-proto: ${kept('x-forwarded-proto', this.#scheme)}\r\n` +
      `x-forwarded-host: ${kept('x-forwarded-host', head.authority)}\r\n` +
      `x-forwarded-port: ${kept('x-forwarded-port', String(this.#port))}\r\n` +
      `forwarded: ${before('forwarded')}${this.#element(head.authority)}\r\n${this.#via}`
    );
  }
}
