/** What a frame says (RFC 9113 section 4.1). */
export type Frame = { type: number; flags: number; stream: number; payload: Buffer };

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

/** RFC 9113 section 7. */
export const errorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

/** RFC 9113 section 3.4; a SETTINGS frame follows it. */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const headBytes = 9;
const none = Buffer.alloc(0);

/** Any frame, whether it makes sense or not. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = none): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** @param values alternating identifiers and values (RFC 9113 section 6.5.1). */
export function settingsFrame(...values: number[]): Buffer {
  const payload = Buffer.alloc(3 * values.length);
  for (let i = 0; i + 1 < values.length; i += 2) {
    payload.writeUInt16BE(values[i] ?? 0, 3 * i);
    payload.writeUInt32BE(values[i + 1] ?? 0, 3 * i + 2);
  }
  return frame(frameTypes.settings, 0, 0, payload);
}

/** SETTINGS_HEADER_TABLE_SIZE, SETTINGS_INITIAL_WINDOW_SIZE. */
export const setting = { headerTableSize: 1, initialWindowSize: 4 } as const;

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A field section of literals that nobody remembers, without Huffman codes (RFC 7541 section 6.2.2). */
export function fieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [literal, text(name), text(value)]));
}

const literal = Buffer.from([0]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([lengthOf(bytes.length), bytes]);
}

/** RFC 7541 section 5.1, with a prefix of 7 bits. */
function lengthOf(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

export type Fields = [name: string, value: string][];

/** A request; with other pseudo-header fields, or without those that are undefined, and with fields. */
export function fieldsOf(
  pseudo: Record<string, string | undefined> = {},
  ...fields: Fields
): Fields {
  const all = { ':method': 'GET', ':scheme': 'http', ':authority': 'a', ':path': '/', ...pseudo };
  const known = Object.entries(all).filter(
    (field): field is [string, string] => field[1] !== undefined,
  );
  return [...known, ...fields];
}

/** The frames of a request, with a body and trailers where they are given. */
export function requestFrames(
  stream: number,
  fields: Fields,
  body?: string,
  trailers?: Fields,
): Buffer {
  if (body === undefined) return headersFrame(stream, fields);
  const last = trailers === undefined ? flag.endStream : 0;
  return Buffer.concat([
    headersFrame(stream, fields, 0),
    frame(frameTypes.data, last, stream, Buffer.from(body, 'latin1')),
    ...(trailers ? [headersFrame(stream, trailers)] : []),
  ]);
}

/** HEADERS that end their field section, and the request unless told otherwise. */
export function headersFrame(
  stream: number,
  fields: readonly (readonly [name: string, value: string])[] = fieldsOf(),
  flags: number = flag.endStream,
): Buffer {
  return frame(frameTypes.headers, flag.endHeaders | flags, stream, fieldBlock(fields));
}

/** The frames at the start of `bytes`, and where they end. */
export function readFrames(bytes: Buffer): { frames: Frame[]; end: number } {
  const frames: Frame[] = [];
  let end = 0;
  while (bytes.length >= end + headBytes) {
    const length = bytes.readUIntBE(end, 3);
    const next = end + headBytes + length;
    if (bytes.length < next) break;
    frames.push({
      type: bytes[end + 3] ?? 0,
      flags: bytes[end + 4] ?? 0,
      stream: bytes.readUInt32BE(end + 5) & 0x7fffffff,
      payload: bytes.subarray(end + headBytes, next),
    });
    end = next;
  }
  return { frames, end };
}

/**
 * The :status at the start of a field section (RFC 7541). The client must have set
 * SETTINGS_HEADER_TABLE_SIZE to 0: nothing is remembered.
 */
export function statusIn(block: Buffer): number {
  let at = 0;
  // Changes of the size of the dynamic table (section 6.3).
  while (((block[at] ?? 0) & 0xe0) === 0x20) at++;
  const first = block[at] ?? 0;
  if (first & 0x80) return staticStatuses[(first & 0x7f) - firstStatus] ?? 0;
  const length = block[at + 1] ?? 0;
  const value = block.subarray(at + 2, at + 2 + (length & 0x7f));
  return Number(length & 0x80 ? huffmanDigits(value) : value.toString('latin1'));
}

/** RFC 7541 appendix A. */
const staticStatuses = [200, 204, 206, 304, 400, 404, 500];
const firstStatus = 8;

/** RFC 7541 appendix B: 0 to 2 have five bits, 3 to 9 six that begin at 011001. */
function huffmanDigits(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let digits = '';
  for (let at = 0; digits.length < 3; ) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    const short = five <= 2;
    digits += short ? five : Number.parseInt(bits.slice(at, at + 6), 2) - 0x16;
    at += short ? 5 : 6;
  }
  return digits;
}
