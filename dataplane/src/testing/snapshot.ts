import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { AuthenticationMethod, AuthorizationRule, IdentityFields } from '@gatehouse/crds';
import {
  EndpointsSchema,
  Kind,
  keyOf,
  Listener_Protocol,
  Listener_TlsVersion,
  ListenerSchema,
  PathMatch_Type,
  type PolicyOriginSchema,
  type PolicyRuleSchema,
  PolicySchema,
  type Resource,
  type ResourceSet,
  RouteSchema,
  type RuleSchema,
  resourceOf,
  SecretSchema,
  UpstreamSchema,
} from '@gatehouse/snapshot';

export type TestRule = Extract<MessageInitShape<typeof RuleSchema>, { $typeName?: never }>;

export type TestEndpoint = {
  address?: string;
  port: number;
  weight?: number;
  hintedZones?: string[];
};

/** Fields of an Upstream resource. */
export type UpstreamFields = Extract<
  MessageInitShape<typeof UpstreamSchema>,
  { $typeName?: never }
>;

export type TestUpstream = {
  endpoints: TestEndpoint[];
  connectTimeout?: number;
  maxIdle?: number;
  idleTimeout?: number;
  /** Other fields of the Upstream resource. */
  more?: UpstreamFields | undefined;
};

export type TestListener = {
  name?: string;
  hostname?: string;
  trustedHops?: number;
  /** Names of `secrets`; makes it an HTTPS listener. */
  certificates?: string[];
  /** Names of `secrets`, which need not be there. */
  keptCertificates?: string[];
  minTlsVersion?: Listener_TlsVersion;
  /** When left out, that of the gateway. */
  port?: number;
};

/** A snapshot in short: what is left out has a plain default. */
export type TestSnapshot = {
  listeners?: TestListener[];
  rules?: TestRule[];
  upstreams?: Record<string, TestUpstream>;
  secrets?: Record<string, { cert: string; key: string }>;
  policies?: TestPolicy[];
  /** Other Secret resources by name. */
  entries?: Record<string, Record<string, string>>;
};

/** A Policy resource. */
export type TestPolicy = {
  kind: string;
  /** Behind the kind: "<listener>[/<route>[/<rule>]]"; the first listener when left out. */
  scope?: string;
  broken?: string;
  guarded?: string[];
  /** One that always applies, "default/test", when left out. */
  origins?: MessageInitShape<typeof PolicyOriginSchema>[];
  /** `config` as plain data. */
  rules?: (Omit<TestPolicyRule, 'config'> & { config: unknown })[];
};
type TestPolicyRule = Extract<MessageInitShape<typeof PolicyRuleSchema>, { $typeName?: never }>;

/** An AuthPolicy in force on the first listener, from the fields of its spec. */
export function authPolicy(
  fields: {
    authentication?: AuthenticationMethod[];
    authorization?: AuthorizationRule[];
    identity?: IdentityFields;
  },
  more: Partial<TestPolicy> = {},
): TestPolicy {
  const named = (block: string, items: readonly { name: string }[] = []) =>
    items.map((config) => ({ block, name: config.name, config }));
  const identity = fields.identity ?? { defaultHeaders: true };
  return {
    kind: 'AuthPolicy',
    guarded: [
      'x-user-id',
      'x-user-role',
      ...(identity.headers ?? []).map(({ name }) => name.toLowerCase()),
    ],
    rules: [
      ...named('authentication', fields.authentication),
      ...named('authorization', fields.authorization),
      { block: 'identity', name: 'identity', config: identity },
    ],
    ...more,
  };
}

/** A rule that forwards everything under a path to upstreams by weight. */
export function forwardRule(
  backends: Record<string, number> | string,
  more: TestRule & { prefix?: string } = {},
): TestRule {
  const weights = typeof backends === 'string' ? { [backends]: 1 } : backends;
  const { prefix, ...rule } = more;
  return {
    name: prefix ?? 'all',
    matches: prefix === undefined ? [] : [prefixMatch(prefix)],
    action: {
      case: 'forward',
      value: {
        backends: Object.entries(weights).map(([upstream, weight]) => ({ upstream, weight })),
      },
    },
    ...rule,
  };
}

export function prefixMatch(value: string) {
  return { path: { type: PathMatch_Type.PREFIX, value } };
}

/** The two lanes of a snapshot. */
export function lanesOf(
  snapshot: TestSnapshot,
  port: number,
): { config: ResourceSet; endpoints: ResourceSet } {
  const listeners = snapshot.listeners ?? [{}];
  const config: Resource[] = listeners.map((listener, index) =>
    resourceOf(
      Kind.LISTENER,
      listener.name ?? `default/test/${index}`,
      ListenerSchema,
      create(ListenerSchema, {
        port: listener.port ?? port,
        protocol: listener.certificates ? Listener_Protocol.HTTPS : Listener_Protocol.HTTP,
        hostname: listener.hostname ?? '',
        certificates: listener.certificates ?? [],
        keptCertificates: listener.keptCertificates ?? [],
        trustedHops: listener.trustedHops ?? 0,
        minTlsVersion: listener.minTlsVersion ?? Listener_TlsVersion.TLS_VERSION_UNSPECIFIED,
      }),
    ),
  );
  const attachments = listeners.map(({ name, hostname }, index) => ({
    listener: name ?? `default/test/${index}`,
    hostnames: hostname === undefined ? [] : [hostname],
  }));
  const route = create(RouteSchema, { created: 1n, attachments, rules: snapshot.rules ?? [] });
  config.push(resourceOf(Kind.ROUTE, 'default/test', RouteSchema, route));
  const endpoints: Resource[] = [];
  for (const [name, upstream] of Object.entries(snapshot.upstreams ?? {})) {
    const settings = create(UpstreamSchema, {
      label: name,
      connectTimeoutMs: upstream.connectTimeout ?? 2000,
      maxIdleConnections: upstream.maxIdle ?? 16,
      idleTimeoutMs: upstream.idleTimeout ?? 60_000,
      ...upstream.more,
    });
    config.push(resourceOf(Kind.UPSTREAM, name, UpstreamSchema, settings));
    const list = create(EndpointsSchema, {
      endpoints: upstream.endpoints.map(({ address, port: at, weight, hintedZones = [] }) => ({
        address: address ?? '127.0.0.1',
        port: at,
        weight: weight ?? 1,
        hintedZones,
      })),
    });
    endpoints.push(resourceOf(Kind.ENDPOINTS, name, EndpointsSchema, list));
  }
  for (const [name, { cert, key }] of Object.entries(snapshot.secrets ?? {})) {
    const data = { 'tls.crt': Buffer.from(cert), 'tls.key': Buffer.from(key) };
    const secret = create(SecretSchema, { type: 'kubernetes.io/tls', data });
    config.push(resourceOf(Kind.SECRET, name, SecretSchema, secret));
  }
  for (const [name, entries] of Object.entries(snapshot.entries ?? {})) {
    const data = Object.fromEntries(
      Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)]),
    );
    config.push(resourceOf(Kind.SECRET, name, SecretSchema, create(SecretSchema, { data })));
  }
  for (const policy of snapshot.policies ?? []) config.push(policyResource(policy));
  return { config: setOf(config), endpoints: setOf(endpoints) };
}

function policyResource({ kind, scope = 'default/test/0', ...policy }: TestPolicy): Resource {
  const message = create(PolicySchema, {
    kind,
    broken: policy.broken ?? '',
    guardedHeaders: policy.guarded ?? [],
    origins: policy.origins ?? [{ name: 'default/test' }],
    rules: (policy.rules ?? []).map((rule) => ({ ...rule, config: JSON.stringify(rule.config) })),
  });
  return resourceOf(Kind.POLICY, `${kind}/${scope}`, PolicySchema, message);
}

function setOf(resources: Resource[]): ResourceSet {
  return new Map(resources.map((resource) => [keyOf(resource.kind, resource.name), resource]));
}
