/** One HTTP/1.1 message as it stood on the wire, cut out by the strict reader of the tests. */
export type Message = {
  startLine: string;
  /** Field lines in order; names as spelled. */
  fields: [name: string, value: string][];
  /** Start line and field lines with the empty line behind them, latin1. */
  head: string;
  /** Without chunk framing. */
  body: Buffer;
  /** Trailer lines, each ended by CRLF. */
  trailers: string;
  /** Exactly the bytes of the message, latin1. */
  raw: string;
};

export type ReadOptions = {
  /** The message answers HEAD: it has no body whatever its head says. */
  noBody?: boolean;
  /** The sender has closed: a response without length ends here. */
  closed?: boolean;
};

/**
 * Reads the message at the start of `bytes`; undefined while it is not complete. Deliberately not the
 * gateway's own parser.
 * @throws Error when the bytes are not what a strict sender writes.
 */
export function readMessage(bytes: Buffer, options: ReadOptions = {}): Message | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd + 4);
  const [startLine = '', ...lines] = head.slice(0, -4).split('\r\n');
  if (/[\r\n]/.test(head.replaceAll('\r\n', ''))) throw new Error(`Bare CR or LF in ${head}`);
  const fields = lines.map((line): [string, string] => {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!match) throw new Error(`Not a field line: ${JSON.stringify(line)} in ${head}`);
    return [match[1] ?? '', match[2] ?? ''];
  });
  const start = headEnd + 4;
  const done = (body: Buffer, end: number, trailers = ''): Message => ({
    startLine,
    fields,
    head,
    body,
    trailers,
    raw: bytes.toString('latin1', 0, end),
  });
  const response = startLine.startsWith('HTTP/');
  const status = response ? Number(startLine.split(' ')[1]) : 0;
  const bodiless = response && (status < 200 || status === 204 || status === 304);
  if (options.noBody || bodiless) return done(Buffer.alloc(0), start);
  if (valuesOf(fields, 'transfer-encoding').length > 0) {
    const chunks = readChunks(bytes, start);
    return chunks && done(Buffer.concat(chunks.pieces), chunks.end, chunks.trailers);
  }
  const [length] = valuesOf(fields, 'content-length');
  if (length !== undefined || !response) {
    const end = start + Number(length ?? 0);
    return bytes.length < end ? undefined : done(bytes.subarray(start, end), end);
  }
  return options.closed ? done(bytes.subarray(start), bytes.length) : undefined;
}

function readChunks(bytes: Buffer, start: number) {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-f]+$/.test(line)) throw new Error(`Not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (bytes.length < at + size + 2) return undefined;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
    if (bytes.toString('latin1', at, at + 2) !== '\r\n') throw new Error('No CRLF behind a chunk');
    at += 2;
  }
  let trailers = '';
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { pieces, end: at, trailers };
    trailers += `${line}\r\n`;
  }
}

/** Values of a field by lower-case name. */
export function valuesOf(fields: Message['fields'], name: string): string[] {
  return fields.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
}

export function statusOf(message: Message): number {
  return Number(message.startLine.split(' ')[1]);
}

/** The field lines that the gateway writes itself, told by their spelling. */
const ownLines =
  /^(?:x-forwarded-(?:for|proto|host|port)|forwarded|via|x-request-id): [^\r\n]*\r\n/gm;

/** `raw` without the lines that are the same for every request. */
export function withoutOwnLines(raw: string): string {
  return raw.replace(ownLines, '');
}
