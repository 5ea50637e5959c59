import type { RequestOptions } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { ApiFault, faultOf, reasonOf, retryAfterOf } from './api-fault.ts';
import { http1Transport } from './http1-transport.ts';
import { connectSecurely, http2Transport } from './http2-transport.ts';
import {
  type Answer,
  defaultPulse,
  type Pulse,
  type Transport,
  type Trust,
  within,
} from './transport.ts';

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
   * @throws ApiFault when it cannot begin, breaks, or when nothing arrives for `silence` milliseconds;
   * long before that when the server itself does not answer any more.
   */
  lines(options: StreamRequest): AsyncGenerator<unknown[]>;
  close(): void;
}

export type StreamRequest = Pick<ApiRequest, 'path' | 'query' | 'signal'> & { silence: number };

const defaultTimeout = 30_000;
/** From the request of a stream to the head of its answer, in milliseconds. */
const headTimeout = 10_000;

/** How long credentials are used before they are asked for again, in milliseconds. */
const accessLifetime = 1000;

interface Access {
  trust: Trust;
  agent: RequestOptions['agent'];
  /** Who asks, and whatever else the kubeconfig adds. */
  headers: Record<string, unknown>;
}

/**
 * Speaks to the cluster that a KubeConfig names. Address, trust, credentials and proxy are its part;
 * the requests are made by node:http2, or by node:https where the server or a proxy does without.
 */
export function apiServerOf(config: KubeConfig, pulse: Pulse = defaultPulse): ApiServer {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('Cannot use the kubeconfig: it has no current cluster');
  const { server, proxyUrl } = cluster;
  const base = new URL(server);
  let known: { trust: Trust; transport: Promise<Transport> } | undefined;
  let held: { until: number; access: Access } | undefined;

  async function connect(trust: Trust): Promise<Transport> {
    if (base.protocol === 'http:') return http1Transport(base, trust, pulse);
    const next = () => connectSecurely(base, trust, pulse.connect);
    const socket = await next();
    if (socket.alpnProtocol === 'h2') return http2Transport(base, socket, nextOf(next), pulse);
    socket.destroy();
    return http1Transport(base, trust, pulse);
  }

  /** A server that is replaced by one without HTTP/2 is asked anew. */
  function nextOf(next: () => Promise<TLSSocket>): () => Promise<TLSSocket> {
    return async () => {
      const socket = await next();
      if (socket.alpnProtocol === 'h2') return socket;
      socket.destroy();
      known = undefined;
      throw new Error('the API server does not speak HTTP/2 any more');
    };
  }

  /** Certificates may be rotated on disk: then new connections are made with the new ones. */
  function transportFor(trust: Trust, agent: RequestOptions['agent']): Promise<Transport> {
    if (known && isDeepStrictEqual(known.trust, trust)) return known.transport;
    known?.transport.then(
      (before) => before.retire(),
      () => undefined,
    );
    const transport =
      proxyUrl === undefined
        ? connect(trust)
        : Promise.resolve(http1Transport(base, trust, pulse, agent));
    const mine = { trust, transport };
    known = mine;
    // What could not be connected is tried anew by whoever asks next.
    transport.catch(() => {
      if (known === mine) known = undefined;
    });
    return transport;
  }

  /** What a request is made with. Asked for once in a while: thousands may be sent at a time. */
  async function access(): Promise<Access> {
    if (held !== undefined && performance.now() < held.until) return held.access;
    const until = performance.now() + accessLifetime;
    const options: RequestOptions & Record<string, unknown> = {};
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
    const { ca, cert, key, rejectUnauthorized, servername, auth } = options;
    const { Authorization, ...headers } = { ...options.headers } as Record<string, string>;
    const credentials = auth ? `Basic ${Buffer.from(auth).toString('base64')}` : Authorization;
    const trust = present({ ca, cert, key, rejectUnauthorized, servername });
    held = {
      until,
      access: {
        trust,
        agent: options.agent,
        headers: present({ ...headers, authorization: credentials?.trim() }),
      },
    };
    return held.access;
  }

  /** Resolves with the head of the answer. */
  async function open(given: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const { trust, agent, headers } = await access();
    const transport = await within(transportFor(trust, agent), signal);
    const { method = 'GET', path, query = {}, contentType = 'application/json' } = given;
    const url = new URL(base);
    url.pathname = base.pathname.replace(/\/$/, '') + path;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const body = given.body === undefined ? undefined : JSON.stringify(given.body);
    return transport.open({
      method,
      path: url.pathname + url.search,
      headers: present({
        ...headers,
        accept: 'application/json',
        'user-agent': 'gatehouse-controller',
        'content-type': body === undefined ? undefined : contentType,
        'content-length': body === undefined ? undefined : String(Buffer.byteLength(body)),
      }) as Record<string, string>,
      body,
      signal,
    });
  }

  return {
    async request(given) {
      const { timeout = defaultTimeout, signal } = given;
      const late = AbortSignal.timeout(timeout);
      try {
        return await bodyOf(await open(given, signal ? AbortSignal.any([signal, late]) : late));
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
        if (answer.status !== 200) await bodyOf(answer);
        clearTimeout(timer);
        timer = setTimeout(() => quiet.abort(), silence);
        answer.body.setEncoding('utf8');
        let rest = '';
        for await (const chunk of answer.body as AsyncIterable<string>) {
          timer.refresh();
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          if (lines.length > 0) yield lines.map((line) => JSON.parse(line) as unknown);
        }
        checkWhole(answer);
      } catch (error) {
        if (quiet.signal.aborted) throw new ApiFault('the API server is silent', 0);
        throw asFault(error);
      } finally {
        clearTimeout(timer);
      }
    },

    close() {
      known?.transport.then(
        (transport) => transport.close(),
        () => undefined,
      );
      known = undefined;
    },
  };
}

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

async function bodyOf(answer: Answer): Promise<unknown> {
  const { status, headers } = answer;
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body as AsyncIterable<Buffer>) chunks.push(chunk);
  checkWhole(answer);
  const text = Buffer.concat(chunks).toString('utf8');
  const body = parsed(text);
  if (status >= 200 && status < 300 && body !== undefined) return body;
  throw faultOf(
    status,
    body ?? { message: text.slice(0, 200).trim() || undefined },
    retryAfterOf(headers['retry-after']?.toString()),
  );
}

/** Streams of HTTP/2 that are cut end as if they were complete. */
function checkWhole({ body }: Answer): void {
  if (body.readableAborted) throw new Error('the API server closed the connection');
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
