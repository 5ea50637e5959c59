/** What the first record that a TLS server sends tells, in cleartext (RFC 8446 section 4.1.3). */
export type ServerHello = {
  /** 0x0304 is TLS 1.3. */
  version: number;
  /** The server took a session that the client offered. */
  resumed: boolean;
};

const handshakeRecord = 22;
const serverHello = 2;
const preSharedKey = 41;
const supportedVersions = 43;

/** A ServerHello of this random value asks for another ClientHello, and is followed by a second one. */
const retryRandom = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
);

/** Reads a ServerHello out of the first bytes that a server sent; undefined while they are too few. */
export function readServerHello(bytes: Buffer): ServerHello | undefined {
  if (bytes.length < 5) return undefined;
  const end = 5 + bytes.readUInt16BE(3);
  if (bytes.length < end) return undefined;
  if (bytes[0] !== handshakeRecord || bytes[5] !== serverHello)
    throw new Error('Cannot read a ServerHello: the server began with something else');
  const random = bytes.subarray(11, 43);
  if (random.equals(retryRandom))
    throw new Error('Cannot read a ServerHello: the server asked for another ClientHello');
  // Type and length (4), version (2), random (32), session id, cipher suite (2), compression (1), then extensions.
  let at = 43 + 1 + (bytes[43] ?? 0) + 3 + 2;
  const found: ServerHello = { version: bytes.readUInt16BE(9), resumed: false };
  while (at + 4 <= end) {
    const type = bytes.readUInt16BE(at);
    if (type === supportedVersions) found.version = bytes.readUInt16BE(at + 4);
    if (type === preSharedKey) found.resumed = true;
    at += 4 + bytes.readUInt16BE(at + 2);
  }
  return found;
}
