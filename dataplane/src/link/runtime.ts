import type { Filter } from '../filters/filter.ts';
import type { Edits, HeaderChange } from '../http1/edits.ts';
import type { GuardedNames } from '../http1/guarded-names.ts';
import type { RouteInput, Router, RuleInput } from '../router/index.ts';
import type { RetryBudget } from '../upstreams/retry-load.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Picker } from '../upstreams/weighted.ts';
import type { LinkedPolicies } from './policies.ts';

/** What a snapshot becomes: everything the request path reads, decided beforehand. Never changed. */
export type Runtime = {
  ports: ReadonlyMap<number, LinkedPort>;
  routes: ReadonlyMap<string, LinkedRoute>;
  policies: LinkedPolicies;
  upstreams: ReadonlyMap<string, Upstream>;
};

export type LinkedPort = {
  port: number;
  secure: boolean;
  /** Most specific hostname first. */
  listeners: readonly LinkedListener[];
};

export type LinkedListener = {
  name: string;
  /** '' for any host; may start with "*.". */
  hostname: string;
  trustedHops: number;
  router: Router<LinkedMatch>;
  /** Headers that clients may not send; undefined when there are none. */
  guarded: GuardedNames | undefined;
  /** Undefined unless the listener is HTTPS. */
  tls: TlsTerms | undefined;
  /** Empty unless the listener is HTTPS. */
  certificates: readonly Certificate[];
};

/** How a listener shakes hands. The same object as long as nothing of it changes. */
export type TlsTerms = {
  listener: string;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  /**
   * PEM of those of whom clients are asked for certificates, sorted. Clients may go on without one; when it
   * is empty, they are not asked.
   */
  authorities: readonly string[];
};

/** A certificate of a listener. The same object as long as its Secret and the terms are the same. */
export type Certificate = {
  /** Name of the Secret resource. */
  secret: string;
  /** Hex hash of the Secret resource. */
  hash: string;
  terms: TlsTerms;
  /** Lower-case; may start with "*.". */
  names: readonly string[];
  pem: { cert: Buffer; key: Buffer };
  /** Milliseconds since the epoch. */
  validFrom: number;
  validTo: number;
};

export type LinkedRoute = {
  hash: Uint8Array;
  /** The upstreams it refers to: while they are the same objects, it need not be linked again. */
  upstreams: readonly Upstream[];
  /** One entry a match. */
  rules: readonly RuleInput<LinkedMatch>[];
  /** What the router of each listener gets, by name of the listener. */
  inputs: ReadonlyMap<string, RouteInput<LinkedMatch>>;
};

/** What the router leads to: one match of one rule. */
export type LinkedMatch = {
  rule: LinkedRule;
  /** Where it stands in the Route resource, e.g. "rules[0].matches[1]". */
  at: string;
  /** The path as metrics name it: the template, not what the client sent. */
  pathLabel: string;
  series: MatchSeries;
  /** What happens before the action, in order; undefined when nothing does. */
  filters: readonly Filter[] | undefined;
};

/**
 * Where a match is counted. Most requests of a match are alike: the slots of the last one are at hand,
 * so that with thousands of routes no table has to be fetched from memory for each request.
 */
export type MatchSeries = {
  lastKey: number;
  lastCounter: number;
  lastMethod: number;
  lastService: string;
  lastHistogram: number;
  /** Slots of the counters of this match, by method, status and kind of client. */
  counters: Map<number, number>;
  /** Slots of the histograms of this match: by service, then by method. */
  histograms: Map<string, number[]>;
};

export type LinkedRule = {
  route: string;
  name: string;
  action: ForwardAction | RedirectAction | RespondAction;
  rewrite: PathRewrite | undefined;
  /** Undefined when there are none. */
  mirrors: readonly LinkedMirror[] | undefined;
  timeouts: LinkedTimeouts;
  fallback: LinkedFallback | undefined;
  retries: LinkedRetries | undefined;
  /** Protocols that a connection may switch to, lower-case; undefined: none. */
  upgrades: readonly string[] | undefined;
};

/** When a request is sent again, and how often. Times in milliseconds. */
export type LinkedRetries = {
  /** After the first try. */
  attempts: number;
  /** What is retried: no connection; one that breaks before an answer; no answer in time. */
  connect: boolean;
  reset: boolean;
  timeout: boolean;
  statuses: ReadonlySet<number>;
  /** Of gRPC, whatever the method. */
  grpcStatuses: ReadonlySet<number>;
  /** For each try, in place of `LinkedTimeouts.backendRequest`; 0: that one. */
  tryTimeout: number;
  backOff: { initial: number; max: number };
  maxRetryAfter: number;
  budget: RetryBudget;
  /** 0: no hedging. */
  hedgeAfter: number;
};

/** What answers when the backend is not asked. */
export type LinkedFallback = { type: 'backend'; backend: LinkedBackend } | RespondAction;

/** Milliseconds; 0: no limit. */
export type LinkedTimeouts = { request: number; backendRequest: number; idle: number };

export type PathRewrite =
  | { type: 'prefix'; match: string; replacement: string }
  | { type: 'full'; parts: readonly TemplatePart[] };

/** Literal text, or the name of a variable. */
export type TemplatePart = { text: string } | { variable: string };

export type ForwardAction = {
  type: 'forward';
  /** The backend, when there is just one to pick from. */
  only: LinkedBackend | undefined;
  pick: Picker<LinkedBackend>;
};

export type LinkedBackend = {
  /** Undefined: the reference could not be resolved, the answer is 500. */
  upstream: Upstream | undefined;
  host: string;
  requestEdits: Edits;
  responseEdits: Edits;
};

export type RedirectAction = {
  type: 'redirect';
  status: number;
  scheme: string;
  host: string;
  port: number;
  rewrite: PathRewrite | undefined;
  responseEdits: Edits;
};

export type RespondAction = {
  type: 'respond';
  status: number;
  body: Buffer;
  headers: readonly HeaderChange[];
  responseEdits: Edits;
};

export type LinkedMirror = { upstream: Upstream; percent: number };
