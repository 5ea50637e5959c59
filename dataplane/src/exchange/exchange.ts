import type { PeerCertificate } from '../filters/auth/mtls/peer-certificate.ts';
import type { Effects, Identity } from '../filters/filter.ts';
import type { Edits } from '../http1/edits.ts';
import type { Message } from '../http1/message.ts';
import type { Reply } from '../http1/reply.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { isGrpc } from '../http2/grpc-request.ts';
import { noGrpcStatus } from '../http2/grpc-status.ts';
import type { LinkedMatch, LinkedRule } from '../link/runtime.ts';
import type { Candidate } from '../router/index.ts';

/** The client's side of an exchange: what an action may do with it. */
export type Client = {
  /** Answers with a reply of the gateway; the exchange ends. */
  reply(exchange: Exchange, reply: Reply, edits?: Edits): void;
  /** Passes on what an upstream answers. */
  readonly writer: ResponsePassage;
  /** The response is complete. */
  finish(exchange: Exchange): void;
  /** The response cannot be completed: the client learns it from a cut connection. */
  cut(exchange: Exchange): void;
  /** Undefined where the protocol cannot be switched: in HTTP/2 (RFC 9113 section 8.6). */
  readonly tunnelEnd: TunnelEnd | undefined;
  /** Something threw that should not have: 500, or a cut connection once the response has begun. */
  fail(exchange: Exchange, error: unknown): void;
  /** Stops and restarts reading the request body. */
  pause(): void;
  resume(): void;
  /** Sets when `onDeadline` of the action is called; on the clock of `now()`. */
  arm(at: number): void;
  /** x-forwarded-*, forwarded and via lines for the request. */
  forwardedLines(exchange: Exchange): string;
  /** Who sent the request, trusted hops respected. */
  clientAddress(exchange: Exchange): string;
  /** What the client showed in its handshake; undefined without TLS or without a certificate. */
  clientCertificate(): PeerCertificate | undefined;
  scheme: 'http' | 'https';
  /** The peer is a proxy whose word counts (`trustedHops`). */
  readonly trusted: boolean;
};

/** The client's end of a tunnel, which its connection can become. */
export type TunnelEnd = {
  /** Passes on the 101 that makes the connection a tunnel. */
  switchProtocol(exchange: Exchange, head: ResponseHead, edits: Edits): void;
  /** From now on `tunnel` gets what the client sends, beginning with what came behind its request. */
  open(exchange: Exchange, tunnel: ClientTunnel): void;
  /** Passes on bytes as they are. False: wait for `onClientWritable`. */
  pass(chunk: Buffer): boolean;
  /** The upstream sends no more; the client may. */
  end(): void;
  /** The tunnel is over: what waits is still delivered. */
  close(exchange: Exchange): void;
};

/** How the response of an upstream reaches the client. */
export type ResponsePassage = {
  /** Passes a 1xx response on. */
  interim(exchange: Exchange, head: ResponseHead): void;
  /**
   * Passes on what the upstream's message found in `chunk`; with `first` the head before it. Returns
   * false when the action should wait for `onClientWritable`.
   */
  respond(
    exchange: Exchange,
    source: ResponseHead,
    chunk: Buffer,
    first: boolean,
    edits: Edits,
  ): boolean;
};

/** An action at work on an exchange. */
export type RunningAction = {
  /** More of the request body was parsed; `message.messageDone` tells the end. */
  onRequestBody(message: Message, chunk: Buffer): void;
  onClientWritable(): void;
  /** The client has gone: stop everything, tell nobody. */
  onClientGone(): void;
  onDeadline(now: number): void;
};

/** What a client sends through a tunnel goes here. */
export type ClientTunnel = RunningAction & {
  onClientBytes(chunk: Buffer): void;
  /** The client sends no more. */
  onClientEnd(): void;
};

/** One request and its response. It ends exactly once, whatever happens. */
export class Exchange implements Effects {
  readonly client: Client;
  readonly head: RequestHead;
  readonly requestId: string;
  /** `now()` when the head was complete. */
  readonly startedAt: number;
  match: Candidate<LinkedMatch> | undefined;
  action: RunningAction | undefined;
  /** Protocol that the upstream is asked to switch to; '': none. */
  upgrade = '';
  /** Set once the connection has switched. */
  tunnel: ClientTunnel | undefined;
  /** When the exchange ended; 0 while it has not. */
  endedAt = 0;
  /** When an upstream had answered; 0: it has not, or nobody asked to know (`atEnd`). */
  respondedAt = 0;
  /** Status sent to the client; 0 while there is none; 499 when the client went before it. */
  status = 0;
  /** Label of the upstream that served it; '' when none did. */
  service = '';
  /** Bytes of the response, its head included. */
  bytesSent = 0;
  /** The whole request has been read. */
  requestDone = false;
  /** Some of the final response has been sent. */
  responseStarted = false;
  responseDone = false;
  /** The connection is closed after the response. */
  close: boolean;
  /** It is a call of gRPC. */
  readonly grpc: boolean;
  /** What the client was told of a call of gRPC; `noGrpcStatus`: nothing. */
  grpcStatus: number = noGrpcStatus;
  identity: Identity | undefined;
  upstreamFields = '';
  responseFields = '';
  hidden: number[] | undefined;
  query: string | undefined;
  atEnd: ((exchange: Exchange) => void)[] | undefined;

  constructor(client: Client, head: RequestHead, requestId: string, startedAt: number) {
    this.client = client;
    this.head = head;
    this.requestId = requestId;
    this.startedAt = startedAt;
    this.close = !head.keepAlive;
    this.grpc = head.message.framed && isGrpc(head);
  }

  get clientAddress(): string {
    return this.client.clientAddress(this);
  }

  get rule(): LinkedRule | undefined {
    return this.match?.target.rule;
  }
}
