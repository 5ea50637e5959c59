/**
 * Adds the field lines of an HTTP/1.1 head to a list for `node:http2`: names in lower case (RFC 9113 section
 * 8.2.1), without the fields that speak of a connection (section 8.2.2).
 * @param lines `name: value` lines, each ended by CRLF; an empty line ends them.
 * @param from where they begin.
 */
export function addFields(list: string[], lines: string, from: number) {
  let at = from;
  while (at < lines.length) {
    const end = lines.indexOf('\r\n', at);
    if (end <= at) return;
    const colon = lines.indexOf(':', at);
    const name = lines.slice(at, colon).toLowerCase();
    if (!ofConnection.has(name)) {
      const value = trimmed(lines, colon + 1, end);
      if (name !== 'te' || value === 'trailers') list.push(name, value);
    }
    at = end + 2;
  }
}

/** TE is one of them, but may be sent as `trailers`. Host is :authority. */
const ofConnection = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** Without the white space around a value (RFC 9112 section 5). */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && blank(text.charCodeAt(start))) start++;
  while (end > start && blank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function blank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The list with which a request with this HTTP/1.1 head is sent (RFC 9113 section 8.3.1). */
export function requestFields(text: string, scheme: 'http' | 'https'): string[] {
  const methodEnd = text.indexOf(' ');
  const lineEnd = text.indexOf('\r\n');
  const list = [
    ':method',
    text.slice(0, methodEnd),
    ':scheme',
    scheme,
    ':authority',
    '',
    ':path',
    text.slice(methodEnd + 1, lineEnd - versionLength),
  ];
  const host = hostLine.exec(text);
  if (host) list[5] = host[1] ?? '';
  else list.splice(4, 2);
  addFields(list, text, lineEnd + 2);
  return list;
}

const versionLength = ' HTTP/1.1'.length;
const hostLine = /\r\nhost:[ \t]*([^\r]*)/i;
