import { getCACertificates } from 'node:tls';
import type { Dispatcher } from 'undici';

/** Bytes of a key set: some hundred keys. */
const mostBytes = 262_144;

/** Why a key set could not be fetched, for logs and statuses. */
export class FetchFault extends Error {}

export type FetchText = (url: string, signal: AbortSignal) => Promise<string>;

/**
 * What fetches for one thread. Nothing is loaded before the first call: most threads never fetch. A
 * connection ends with its response, so none has to be closed.
 */
export function createFetch(): FetchText {
  let agent: Promise<Dispatcher> | undefined;

  /** @throws FetchFault when there is no 200 with text; the signal bounds the time for all of it. */
  return async function fetchText(url, signal) {
    agent ??= createAgent();
    const { request } = await import('undici');
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: await agent,
        signal,
        reset: true,
        headers: {
          accept: 'application/jwk-set+json, application/json',
          'accept-encoding': 'identity',
          'user-agent': 'gatehouse',
        },
      });
      const fault = faultOf(statusCode, headers['content-encoding']);
      if (fault !== undefined) {
        body.destroy();
        throw new FetchFault(fault);
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(await body.arrayBuffer());
    } catch (error) {
      throw error instanceof FetchFault ? error : new FetchFault(reasonOf(error, signal));
    }
  };
}

async function createAgent(): Promise<Dispatcher> {
  const { Agent } = await import('undici');
  // Authorities of the release of Node and NODE_EXTRA_CA_CERTS, and those of the image.
  const ca = [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  return new Agent({ maxResponseSize: mostBytes, connect: { ca } });
}

function faultOf(status: number, encoding: string | string[] | undefined): string | undefined {
  if (status >= 300 && status < 400) {
    return `the answer is a redirect (${status}), which is not followed: give the URL that it leads to`;
  }
  if (status !== 200) return `the answer has status ${status}`;
  return encoding === undefined ? undefined : `the answer is encoded (${String(encoding)})`;
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) {
    const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
    return timedOut ? 'it takes too long' : 'it was not needed any more';
  }
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return `it has more than ${mostBytes} bytes`;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8';
  // Of an attempt at several addresses the first says enough.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  return first instanceof Error && first.message !== ''
    ? first.message
    : String(code ?? error.name);
}
