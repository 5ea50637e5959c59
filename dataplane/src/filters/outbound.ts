import type { IncomingHttpHeaders } from 'node:http';
import type { Agent, Dispatcher } from 'undici';

/** Asks servers that policies name. One a thread; connections are kept for the next question. */
export type Outbound = {
  /** @throws OutboundFault when there is no answer, or none that may be used */
  ask(question: Question): Promise<OutboundAnswer>;
};

export type Question = Place & {
  method: Dispatcher.HttpMethod;
  headers: Record<string, string | string[]>;
  body?: string;
  /** Milliseconds for everything: connecting, waiting, reading. */
  timeout: number;
  /** The longest body that is read. */
  mostBytes: number;
  /** Whether a longer one is cut off there, rather than making the answer unusable. */
  cut?: boolean;
};

/** Origin and path are apart so that a path goes out as it is: nothing resolves its dot segments. */
export type Place = { origin: string; path: string };

/** @throws TypeError when the text is no URL */
export function placeOf(url: string): Place {
  const { origin, pathname, search } = new URL(url);
  return { origin, path: pathname + search };
}

/** Redirects are answers like others: they are never followed. */
export type OutboundAnswer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** Why there is no answer. Says nothing of what was sent. */
export class OutboundFault extends Error {}

/** Connections to one server; further questions wait for one of them. */
const connections = 64;

export function createOutbound(): Outbound {
  let agent: Promise<Agent> | undefined;
  return {
    async ask(question) {
      const { origin, path, method, headers, body, timeout } = question;
      agent ??= createAgent();
      const used = await agent;
      const signal = AbortSignal.timeout(timeout);
      try {
        const options = { origin, path, method, headers, body: body ?? null, signal };
        const answer = await used.request(options).catch((error: unknown) => {
          if (signal.aborted || !lostConnection.has(codeIn(error))) throw error;
          return used.request(options);
        });
        const bytes = await readBody(answer, question);
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

/** Loaded by the first question: it costs each thread 25 MiB, and most gateways ask nobody. */
async function createAgent(): Promise<Agent> {
  const undici = await import('undici');
  return new undici.Agent({
    connections,
    pipelining: 1,
    keepAliveTimeout: 4000,
    connect: { timeout: 10_000 },
    maxHeaderSize: 32_768,
  });
}

/** A kept connection that the server closes just then: once more, on another (RFC 9112 section 9.3.1). */
const lostConnection = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

async function readBody(
  { headers, body }: Dispatcher.ResponseData,
  { mostBytes, cut = false }: Question,
): Promise<Buffer> {
  const fault = new OutboundFault(`the answer is larger than ${mostBytes} bytes`);
  if (!cut && Number(headers['content-length'] ?? 0) > mostBytes) {
    // An answer nobody reads would keep its connection; destroying it is no event.
    body.on('error', () => undefined).destroy();
    throw fault;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    chunks.push(chunk);
    if (length <= mostBytes) continue;
    // Leaving the loop destroys the body.
    if (!cut) throw fault;
    break;
  }
  return Buffer.concat(chunks, Math.min(length, mostBytes));
}

/** Messages of errors may quote what was sent: only codes get into logs. */
function codeIn(error: unknown): string {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  if (!(cause instanceof Error)) return 'unknown';
  return String(('code' in cause && cause.code) || cause.name);
}
