/** What a handshake begins with, as far as it decides who goes on with it. */
export type ClientHello = {
  /** As the client wrote it; '' stands for none (RFC 6066 section 3). */
  serverName: string;
  /** The client speaks TLS 1.3 (RFC 8446 section 4.2.1). */
  speaks13: boolean;
  /**
   * The name of the key of the ticket that the client shows first, of whichever version; undefined: none. The
   * first 16 bytes of a ticket by the recommendation of RFC 5077 section 4, which OpenSSL follows.
   */
  ticketKey: Buffer | undefined;
};

/** Bytes of a ClientHello at most; OpenSSL takes more, clients send some 2,000. */
export const longestHello = 16_384;

/** Records that a hello may be cut into; clients send one. */
const mostRecords = 32;
const keyNameLength = 16;
const handshakeRecord = 22;
const clientHelloMessage = 1;
const extensions = { serverName: 0, sessionTicket: 35, preSharedKey: 41, supportedVersions: 43 };
const tls13 = 0x0304;

/**
 * Reads the first message of a client (RFC 8446 sections 4.1.2 and 5.1) from the first bytes of a connection.
 * It checks no more than it needs: OpenSSL reads the same bytes again. Never throws.
 */
export function readClientHello(bytes: Buffer): ClientHello | 'incomplete' | 'malformed' {
  const message = firstMessage(bytes);
  if (typeof message === 'string') return message;
  const fields = new Fields(message);
  fields.skip(4 + 2 + 32);
  fields.vector(1); // session id
  fields.vector(2); // cipher suites
  fields.vector(1); // compression methods
  const hello: ClientHello = { serverName: '', speaks13: false, ticketKey: undefined };
  // A client of TLS 1.2 may send no extensions at all.
  if (fields.left > 0) readExtensions(fields.vector(2), hello);
  return fields.failed || fields.left > 0 ? 'malformed' : hello;
}

/** The handshake message that the records at the start hold together. */
function firstMessage(bytes: Buffer): Buffer | 'incomplete' | 'malformed' {
  const parts: Buffer[] = [];
  let held = 0;
  let wanted = 4;
  for (let at = 0; held < wanted; ) {
    if (at < bytes.length && bytes[at] !== handshakeRecord) return 'malformed';
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return 'malformed';
    if (at + 5 > bytes.length) return 'incomplete';
    const length = bytes.readUInt16BE(at + 3);
    // RFC 8446 section 5.1: no empty fragments of handshakes.
    if (length === 0 || length > longestHello) return 'malformed';
    const part = bytes.subarray(at + 5, at + 5 + length);
    if (parts.push(part) > mostRecords) return 'malformed';
    held += part.length;
    at += 5 + length;
    if (wanted === 4 && held >= 4) {
      const start = Buffer.concat(parts);
      if (start[0] !== clientHelloMessage) return 'malformed';
      wanted = 4 + start.readUIntBE(1, 3);
      if (wanted > longestHello) return 'malformed';
    }
    if (part.length < length && held < wanted) return 'incomplete';
  }
  return Buffer.concat(parts).subarray(0, wanted);
}

function readExtensions(all: Fields, hello: ClientHello) {
  while (all.left > 0) {
    const type = all.number(2);
    const body = all.vector(2);
    if (type === extensions.serverName) hello.serverName = serverNameOf(body);
    else if (type === extensions.supportedVersions) hello.speaks13 = offers13(body.vector(1));
    else if (type === extensions.sessionTicket) hello.ticketKey ??= keyNameOf(body.rest());
    else if (type === extensions.preSharedKey) {
      hello.ticketKey = keyNameOf(body.vector(2).vector(2).rest()) ?? hello.ticketKey;
    }
  }
}

/** RFC 6066 section 3: the first name of type host_name. */
function serverNameOf(body: Fields): string {
  const list = body.vector(2);
  while (list.left > 0) {
    const type = list.number(1);
    const name = list.vector(2).rest();
    if (type === 0) return name.toString('latin1');
  }
  return '';
}

function offers13(versions: Fields): boolean {
  while (versions.left > 0) if (versions.number(2) === tls13) return true;
  return false;
}

function keyNameOf(ticket: Buffer): Buffer | undefined {
  return ticket.length < keyNameLength ? undefined : ticket.subarray(0, keyNameLength);
}

/** Reads numbers and vectors (RFC 8446 section 3.4). What does not fit is empty, and all after it. */
class Fields {
  readonly #bytes: Buffer;
  readonly #parent: Fields | undefined;
  #at = 0;
  failed = false;

  constructor(bytes: Buffer, parent?: Fields) {
    this.#bytes = bytes;
    this.#parent = parent;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #fail() {
    this.#at = this.#bytes.length;
    for (let all: Fields | undefined = this; all; all = all.#parent) all.failed = true;
  }

  skip(length: number) {
    if (length > this.left) this.#fail();
    else this.#at += length;
  }

  number(length: number): number {
    const at = this.#at;
    this.skip(length);
    return this.failed ? 0 : this.#bytes.readUIntBE(at, length);
  }

  /** A vector whose length takes so many bytes. */
  vector(lengthBytes: number): Fields {
    const length = this.number(lengthBytes);
    const at = this.#at;
    this.skip(length);
    return new Fields(this.failed ? Buffer.alloc(0) : this.#bytes.subarray(at, at + length), this);
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }
}
