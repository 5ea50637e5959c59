import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher, request } from 'undici';

/** Asks servers that policies name. One a thread; connections are kept for the next question. */
export type Outbound = {
  /** @throws OutboundFault when there is no answer, or none that may be used */
  ask(question: Question): Promise<OutboundAnswer>;
};

export type Question = {
  url: string;
  method: Dispatcher.HttpMethod;
  headers: Record<string, string | string[]>;
  body?: string;
  /** Milliseconds for everything: connecting, waiting, reading. */
  timeout: number;
  /** The longest body that is read. */
  mostBytes: number;
};

/** Redirects are answers like others: they are never followed. */
export type OutboundAnswer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** Why there is no answer. Says nothing of what was sent. */
export class OutboundFault extends Error {}

/** Connections to one server; further questions wait for one of them. */
const connections = 32;

export function createOutbound(): Outbound {
  let agent: Agent | undefined;
  return {
    async ask({ url, method, headers, body, timeout, mostBytes }) {
      agent ??= new Agent({
        connections,
        pipelining: 1,
        keepAliveTimeout: 4000,
        connect: { timeout: 10_000 },
        maxHeaderSize: 32_768,
      });
      const signal = AbortSignal.timeout(timeout);
      try {
        const options = { dispatcher: agent, method, headers, body: body ?? null, signal };
        const answer = await request(url, options).catch((error: unknown) => {
          if (signal.aborted || !lostConnection.has(codeIn(error))) throw error;
          return request(url, options);
        });
        const bytes = await readBody(answer, mostBytes);
        return { status: answer.statusCode, headers: answer.headers, body: bytes };
      } catch (error) {
        if (error instanceof OutboundFault) throw error;
        throw new OutboundFault(
          signal.aborted
            ? `no answer within ${timeout} ms`
            : `the request failed: ${codeIn(error)}`,
        );
      }
    },
  };
}

/** A kept connection that the server closes just then: once more, on another (RFC 9112 section 9.3.1). */
const lostConnection = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

async function readBody(
  { headers, body }: Dispatcher.ResponseData,
  mostBytes: number,
): Promise<Buffer> {
  const tooLarge = () => new OutboundFault(`the answer is larger than ${mostBytes} bytes`);
  const coding = headers['content-encoding'];
  const fault =
    Number(headers['content-length'] ?? 0) > mostBytes
      ? tooLarge()
      : coding !== undefined && coding !== 'identity'
        ? new OutboundFault('the answer is compressed, which was not asked for')
        : undefined;
  if (fault) {
    // An answer nobody reads would keep its connection; destroying it is no event.
    body.on('error', () => undefined).destroy();
    throw fault;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Messages of errors may quote what was sent: only codes get into logs. */
function codeIn(error: unknown): string {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  if (!(cause instanceof Error)) return 'unknown';
  return String(('code' in cause && cause.code) || cause.name);
}
