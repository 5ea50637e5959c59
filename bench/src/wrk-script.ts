import type { Load } from './scenario.ts';
import type { TokenLot } from './tokens.ts';

/** wrk's own report rounds; this line gives exact figures and all the kinds of error. Latency is in microseconds. */
const report = `
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "wrk-result requests=%d duration_us=%d p99_us=%d connect=%d read=%d write=%d timeout=%d status=%d\\n",
    summary.requests, summary.duration, latency:percentile(99.0),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
`;

/** A Lua string literal. Bytes outside printable ASCII, quotes and backslashes become decimal escapes. */
function quote(text: string): string {
  const escaped = [...Buffer.from(text)].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
      ? `\\${String(byte).padStart(3, '0')}`
      : String.fromCharCode(byte),
  );
  return `"${escaped.join('')}"`;
}

function requestSettings({ method, headers, body, perRequest }: Load): string[] {
  const closing = perRequest ? { connection: 'close' } : {};
  return [
    ...(method === undefined ? [] : [`wrk.method = ${quote(method)}`]),
    ...Object.entries({ ...headers, ...closing }).map(
      ([name, value]) => `wrk.headers[${quote(name)}] = ${quote(value)}`,
    ),
    ...(body === undefined ? [] : [`wrk.body = ${quote(body)}`]),
  ];
}

function renderPaths(): string[] {
  return ['  for i, path in ipairs(paths) do requests[i] = wrk.format(nil, path) end'];
}

function renderTokens({ file }: TokenLot): string[] {
  return [
    `  for token in io.lines(${quote(file)}) do`,
    '    wrk.headers["Authorization"] = "Bearer " .. token',
    '    requests[#requests + 1] = wrk.format(nil, paths[#requests % #paths + 1])',
    '  end',
  ];
}

/**
 * The requests of several paths or tokens are rendered once and sent in turn, from the one on whose number the script
 * gets as its argument. For a single request wrk does that by itself, without calling into Lua for every request.
 */
function rotation(paths: readonly string[], lot: TokenLot | undefined): string[] {
  if (paths.length < 2 && lot === undefined) return [];
  return [
    `local paths = { ${paths.map(quote).join(', ')} }`,
    'local requests, turn = {}, 0',
    'init = function(args)',
    ...(lot === undefined ? renderPaths() : renderTokens(lot)),
    '  turn = (tonumber(args[1]) or 0) % #requests',
    'end',
    'request = function()',
    '  turn = turn % #requests + 1',
    '  return requests[turn]',
    'end',
  ];
}

/** Milliseconds that a connection waits before its next request, so that all together keep a rate. */
function pauses({ connections, rate }: Load): string[] {
  if (rate === undefined) return [];
  // Spread, so that they do not all come at once.
  const most = Math.round((2 * connections * 1000) / rate);
  return ['delay = function()', `  return math.random(0, ${most})`, 'end'];
}

/** The Lua script that makes wrk send a load and print the line that `parseWrk` reads. */
export function wrkScript(load: Load, lot?: TokenLot): string {
  return [...requestSettings(load), ...rotation(load.paths, lot), ...pauses(load), report].join(
    '\n',
  );
}
