import { openSync, write } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Exchange } from '../exchange/exchange.ts';
import { grpcStatusNames } from '../http2/grpc-status.ts';
import type { Recorder } from './recorder.ts';

/** Bytes that wait at most; beyond that lines are lost, and counted: no request waits for its line. */
const mostWaiting = 8 * 1024 * 1024;
/** Bytes that are written at once. To a pipe so few are never mixed with those of another thread (pipe(7)). */
const sizes = { file: 65_536, pipe: 4096 };
/** Milliseconds that a line waits at most for others to be written with it. */
const flushInterval = 200;

export type AccessLog = {
  /** Writes the line of an exchange that has ended. */
  exchange(exchange: Exchange): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
};

/**
 * One line of JSON a request, in the order in which they end.
 * @param target a file, which is appended to, or "-" for the standard output.
 * @param onLost is called with the number of lines that were not written.
 * @throws when the file cannot be opened.
 */
export function openAccessLog(target: string, onLost: (lines: number) => void): AccessLog {
  const file = target === '-' ? 1 : openSync(target, 'a', 0o640);
  const size = target === '-' ? sizes.pipe : sizes.file;
  const full: string[] = [];
  let open = '';
  let waiting = 0;
  let writing = false;
  let drained = () => {};

  function flush() {
    if (open !== '') full.push(open);
    open = '';
    if (!writing) next();
  }

  function next() {
    const text = full.shift();
    if (text === undefined) {
      writing = false;
      drained();
      return;
    }
    writing = true;
    put(Buffer.from(text, 'utf8'), text.length);
  }

  /** A pipe may take a part only. */
  function put(bytes: Buffer, characters: number) {
    write(file, bytes, (error, written) => {
      if (error) {
        // A disk that is full or a reader that has gone costs lines, not requests.
        onLost(lineCount(bytes));
      } else if (written < bytes.length) return put(bytes.subarray(written), characters);
      waiting -= characters;
      next();
    });
  }

  const timer = setInterval(flush, flushInterval);
  timer.unref();
  return {
    exchange(exchange) {
      if (waiting > mostWaiting) {
        onLost(1);
        return;
      }
      const line = lineOf(exchange);
      if (open.length + line.length > size) flush();
      open += line;
      waiting += line.length;
    },
    close() {
      clearInterval(timer);
      flush();
      if (!writing) return Promise.resolve();
      return new Promise((resolve) => {
        drained = resolve;
      });
    },
  };
}

/** A recorder that writes a line as well. */
export function withAccessLog(recorder: Recorder, { exchange: write }: AccessLog): Recorder {
  return {
    ...recorder,
    exchange(exchange) {
      recorder.exchange(exchange);
      write(exchange);
    },
  };
}

function lineCount(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === 10) count++;
  return count;
}

const origin = performance.timeOrigin;

/** Field names of OpenTelemetry where it has them. */
function lineOf(exchange: Exchange): string {
  const { head, identity, rule, service } = exchange;
  const status = exchange.grpc ? grpcStatusNames[exchange.grpcStatus] : undefined;
  const duration = exchange.endedAt - exchange.startedAt;
  return (
    `{"time":${Math.round(origin + exchange.startedAt)},"method":${quoted(head.method)},` +
    `"host":${quoted(head.host)},"path":${quoted(head.path)},"protocol":"${protocolOf(exchange)}",` +
    `"status":${exchange.status},` +
    `"duration_ms":${duration.toFixed(2)},"bytes_sent":${exchange.bytesSent},` +
    `"client":${quoted(exchange.clientAddress)},"request_id":${quoted(exchange.requestId)}` +
    (rule ? `,"route":"${rule.route}","rule":"${rule.name}"` : '') +
    (service === '' ? '' : `,"service":${quoted(service)}`) +
    (status === undefined ? '' : `,"grpc_status":"${status}"`) +
    (identity && identity.id !== '' ? `,"user":${quoted(identity.id)}` : '') +
    '}\n'
  );
}

/** The version of HTTP in which the request came. */
function protocolOf({ head }: Exchange): string {
  if (head.message.framed) return 'HTTP/2';
  return head.http10 ? 'HTTP/1.0' : 'HTTP/1.1';
}

/** What needs no escape is most of what there is; a scan costs far less than JSON.stringify. */
const plain = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}
