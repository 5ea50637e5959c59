import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { ApiFault, faultOf, reasonOf, retryAfterOf } from './api-fault.ts';

export type Query = Record<string, string | number | undefined>;

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without the server, e.g. "/api/v1/services". */
  path: string;
  query?: Query;
  body?: unknown;
  /** application/json when left out. */
  contentType?: string;
  /** Limit for the whole answer, in milliseconds; 30 s when left out. */
  timeout?: number;
  signal?: AbortSignal;
}

/** An API server of Kubernetes; what is sent and understood is JSON. */
export interface ApiServer {
  /** @throws ApiFault unless the answer is 2xx with a body of JSON. */
  request(options: ApiRequest): Promise<unknown>;
  /**
   * The lines of an answer that goes on, each a JSON value, in the batches that arrive.
   * @throws ApiFault when it cannot begin, breaks, or when nothing arrives for `silence` milliseconds.
   */
  lines(options: StreamRequest): AsyncGenerator<unknown[]>;
  close(): void;
}

export type StreamRequest = Pick<ApiRequest, 'path' | 'query' | 'signal'> & { silence: number };

const defaultTimeout = 30_000;
/** From the request of a stream to the head of its answer, in milliseconds. */
const headTimeout = 10_000;
/** A peer that is gone is noticed after 5 + 3 x 2 seconds, in milliseconds. */
const keepAlive = { enable: true, initialDelay: 5000, interval: 2000, count: 3 };
/** Connections that wait for the next request; watches have one each beside them. */
const mostIdle = 16;

/**
 * Speaks to the cluster that a KubeConfig names. Address, trust, credentials and proxy are its part;
 * the requests are made by node:https, on connections that are kept.
 */
export function apiServerOf(config: KubeConfig): ApiServer {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('Cannot use the kubeconfig: it has no current cluster');
  const { server, proxyUrl } = cluster;
  const base = new URL(server);
  const send = base.protocol === 'http:' ? request : httpsRequest;
  let agent: { trust: unknown; agent: HttpAgent } | undefined;

  async function optionsOf({ path, query = {} }: ApiRequest): Promise<[URL, RequestOptions]> {
    const options: RequestOptions & Record<string, unknown> = {};
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
    const { ca, cert, key, rejectUnauthorized, servername, auth, headers } = options;
    const trust = { ca, cert, key, rejectUnauthorized, servername };
    // Certificates may be rotated on disk: then new connections are made with the new ones.
    if (proxyUrl === undefined && !isDeepStrictEqual(agent?.trust, trust)) {
      const given = Object.entries(trust).filter(([, value]) => value !== undefined);
      agent = { trust, agent: agentOf(Object.fromEntries(given)) };
    }
    const url = new URL(base);
    url.pathname = base.pathname.replace(/\/$/, '') + path;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { Authorization, ...rest } = { ...headers } as Record<string, string>;
    return [
      url,
      {
        ...(auth === undefined ? {} : { auth }),
        agent: proxyUrl === undefined ? agent?.agent : options.agent,
        headers: {
          ...rest,
          ...(Authorization === undefined ? {} : { authorization: Authorization.trim() }),
          accept: 'application/json',
          'user-agent': 'gatehouse-controller',
        },
      },
    ];
  }

  function agentOf(trust: object): HttpAgent {
    const options = { keepAlive: true, maxFreeSockets: mostIdle, ...trust };
    return base.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent(options);
  }

  /** Resolves with the head of the answer. */
  async function open(given: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const [url, options] = await optionsOf(given);
    const { method = 'GET', body, contentType = 'application/json' } = given;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined
        ? {}
        : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const outgoing = send(
        url,
        { ...options, method, signal, headers: { ...(options.headers as object), ...headers } },
        resolve,
      );
      outgoing.on('socket', (socket: Socket) => socket.setKeepAlive(keepAlive));
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  return {
    async request(given) {
      const { timeout = defaultTimeout, signal } = given;
      const late = AbortSignal.timeout(timeout);
      try {
        const answer = await open(given, signal ? AbortSignal.any([signal, late]) : late);
        return await bodyOf(answer);
      } catch (error) {
        if (late.aborted && !signal?.aborted) {
          throw new ApiFault(`no answer within ${timeout} ms`, 0, undefined, error);
        }
        throw asFault(error);
      }
    },

    async *lines({ silence, signal, ...given }) {
      const quiet = new AbortController();
      const both = signal ? AbortSignal.any([signal, quiet.signal]) : quiet.signal;
      let timer = setTimeout(() => quiet.abort(), headTimeout);
      try {
        const answer = await open(given, both);
        if (answer.statusCode !== 200) await bodyOf(answer);
        clearTimeout(timer);
        timer = setTimeout(() => quiet.abort(), silence);
        answer.setEncoding('utf8');
        let rest = '';
        for await (const chunk of answer as AsyncIterable<string>) {
          timer.refresh();
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          if (lines.length > 0) yield lines.map((line) => JSON.parse(line) as unknown);
        }
      } catch (error) {
        if (quiet.signal.aborted) throw new ApiFault('the API server is silent', 0);
        throw asFault(error);
      } finally {
        clearTimeout(timer);
      }
    },

    close: () => agent?.agent.destroy(),
  };
}

async function bodyOf(answer: IncomingMessage): Promise<unknown> {
  const { statusCode = 0, headers } = answer;
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const body = parsed(text);
  if (statusCode >= 200 && statusCode < 300 && body !== undefined) return body;
  const retryAfter = retryAfterOf(headers['retry-after']);
  throw faultOf(
    statusCode,
    body ?? { message: text.slice(0, 200).trim() || undefined },
    retryAfter,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function asFault(error: unknown): ApiFault {
  if (error instanceof ApiFault) return error;
  return new ApiFault(reasonOf(error), 0, undefined, error);
}
