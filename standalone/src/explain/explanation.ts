/** What `gatehouse explain -o json` prints. Its fields are documented in docs/guide/explain.md. */
export type Explanation = {
  source: { folder: string } | { dataPlane: string; version: string };
  request: ExplainedRequest;
  /** Null when no listener takes the request. */
  listener: ExplainedListener | null;
  /** Null when no rule fits. */
  route: ExplainedRoute | null;
  /** Rules that nearly fit, the nearest first; empty when one fits. */
  nearest: NearRule[];
  /** In the order in which they act. */
  policies: ExplainedPolicy[];
  /** Null when no rule fits. */
  action: ExplainedAction | null;
  answer: ExplainedAnswer;
  /** What is assumed, and what differs from how the request would be sent. */
  notes: string[];
  /** What is wrong in the folder, and what data planes refuse. */
  mistakes: string[];
};

export type ExplainedRequest = {
  method: string;
  url: string;
  scheme: 'http' | 'https';
  /** Lower-case, without port. */
  host: string;
  /** Normalised; as sent when the request is refused. */
  path: string;
  /** Without "?". */
  query: string;
  clientAddress: string;
  /** Names of header fields that are dropped because only the gateway may send them. */
  droppedHeaders: string[];
};

export type ExplainedListener = {
  /** Name of the listener in its Gateway. */
  name: string;
  /** "<namespace>/<name>" */
  gateway: string;
  port: number;
  protocol: 'HTTP' | 'HTTPS';
  /** "" for any host. */
  hostname: string;
};

export type ExplainedMatch = {
  /** Null when the path does not matter. */
  path: { type: 'Exact' | 'Prefix' | 'Template' | 'Regex'; value: string } | null;
  methods: string[];
  headers: ExplainedValueMatch[];
  query: ExplainedValueMatch[];
};

export type ExplainedValueMatch = {
  name: string;
  type: 'Exact' | 'Regex' | 'Present';
  value: string;
};

/** A match of a rule of a Route. */
export type ExplainedRule = {
  /** "<namespace>/<name>" */
  route: string;
  rule: string;
  /** Of the Route, by which the request fits; "" for any host. */
  hostname: string;
  match: ExplainedMatch;
};

export type ExplainedRoute = ExplainedRule & {
  /** Of a template: name -> segment as it was sent. */
  variables: Record<string, string>;
  /** Rules that fit too, the next best first; `because` says why the one before it comes first. */
  before: (ExplainedRule & { because: string })[];
};

export type NearRule = ExplainedRule & {
  /** "<namespace>/<gateway>/<listener>" */
  listener: string;
  /** What does not fit, e.g. "method: POST, not GET". */
  differs: string[];
};

export type ExplainedPolicy = {
  kind: string;
  /** What the effective policy is for, e.g. "rule read of Route shop/orders". */
  scope: string;
  /** Why it cannot be enforced, so that the answer is 500; null when it can. */
  broken: string | null;
  /** The policy objects that reach the request. */
  origins: ExplainedOrigin[];
  /** Rules in force, by block, then by precedence. */
  rules: RuleInForce[];
  /** Rules that are not in force, and why. */
  notInForce: (NamedRule & { because: string })[];
  /** Rules that are evaluated, counted and logged only. */
  shadow: RuleInForce[];
};

export type ExplainedOrigin = {
  /** "<namespace>/<name>" of the policy object. */
  policy: string;
  shadow: boolean;
  /** "" when there is none. */
  when: string;
  /** Null: it depends on the identity, or cannot be evaluated. */
  whenHolds: boolean | null;
  /** The path of the request is one that the policy leaves alone. */
  excluded: boolean;
  /** Null: it depends on the identity, or cannot be told. */
  applies: boolean | null;
  /** Why `applies` is not true; "" when it is. */
  because: string;
};

export type NamedRule = {
  /** Field of the spec and name in it, e.g. "authentication/users". */
  rule: string;
  /** "<namespace>/<name>" of the policy object. */
  from: string;
  /** What that policy targets here, e.g. "Route shop/orders". */
  target: string;
  overrides: boolean;
};

export type RuleInForce = NamedRule & {
  /** The rule as the policy has it. */
  config: unknown;
  /** It depends on the identity whether its policy applies. */
  uncertain: boolean;
  /** Rules that say something else and would be in force without it. */
  replaces: { rule: string; from: string }[];
};

export type ExplainedAction =
  | {
      type: 'forward';
      /** Path and query that the backend gets. */
      target: string;
      /** Host that the backend gets. */
      host: string;
      backends: ExplainedBackend[];
      /** Backends that get a copy. */
      mirrors: { upstream: string; percent: number }[];
      /** Milliseconds; 0: no limit. */
      timeouts: { request: number; backendRequest: number; idle: number };
    }
  | { type: 'redirect'; status: number; location: string }
  | { type: 'respond'; status: number; body: string };

export type ExplainedBackend = {
  /** E.g. "Service shop/orders port 80"; "" when the reference leads nowhere. */
  upstream: string;
  /** Percent of the requests, rounded to a tenth. */
  share: number;
  /** Endpoints are asked for while a gateway runs, and not known here. */
  discovered: boolean;
  endpoints: { address: string; port: number; weight: number; zone: string }[];
  /** How the endpoints are talked to; null when the reference leads nowhere. */
  settings: ExplainedUpstream | null;
};

export type ExplainedUpstream = {
  protocol: 'HTTP1' | 'HTTP2';
  /** Null: cleartext. */
  tls: ExplainedTls | null;
  balancing: 'RoundRobin' | 'Random' | 'LeastRequest' | 'PeakEwma' | 'RingHash' | 'Maglev';
  /** What RingHash and Maglev go by; else "". */
  balancingKey: string;
  /** Clients stay with their endpoint, by a cookie. */
  sticky: boolean;
  circuitBreaker: ExplainedBreaker | null;
  /** Null: endpoints are not asked whether they are well. */
  healthCheck: 'http' | 'tcp' | 'grpc' | null;
  /** Endpoints that fail are put aside (outlierDetection). */
  ejects: boolean;
};

export type ExplainedTls = {
  /** What is asked for and verified. */
  serverName: string;
  minVersion: '1.2' | '1.3';
  /** "<namespace>/<name>" of a Secret; "": those that Node knows. */
  authorities: string;
  /** "<namespace>/<name>" of a Secret; "": none is shown. */
  clientCertificate: string;
  /** False: a Secret is missing or unfit, so that who does not have its last good content cannot connect. */
  complete: boolean;
};

export type ExplainedBreaker = {
  /** Failures one after the other that open it; 0: they do not. */
  failureThreshold: number;
  /** Milliseconds that it stays open. */
  timeout: number;
  /** Percent of failures that open it; 0: they do not. */
  errorPercent: number;
  /** Under way at a time; 0: no limit. */
  maxRequests: number;
};

export type ExplainedAnswer = {
  /** Null: that of the backend. */
  status: number | null;
  /** Text of the error; "" when it is none. */
  error: string;
  /** Who answers. */
  by: 'gateway' | 'policy' | 'route' | 'backend';
  /** Kinds of policies that may answer before, in order. */
  unless: string[];
};
