import { fromBinary } from '@bufbuild/protobuf';
import {
  Kind,
  type Listener,
  Listener_Protocol,
  Listener_TlsVersion,
  ListenerSchema,
  type ResourceSet,
} from '@gatehouse/snapshot';
import { guardedNames } from '../http1/guarded-names.ts';
import { type RouteInput, routerSteps } from '../router/index.ts';
import { coversHost, isValid, loadCertificates } from './certificates.ts';
import type { PolicyScopes } from './policies.ts';
import type { RefusedResource } from './refusals.ts';
import type {
  Certificate,
  LinkedListener,
  LinkedMatch,
  LinkedPort,
  LinkedRoute,
  Runtime,
  TlsTerms,
} from './runtime.ts';

/** Routes that are looked at in one step. */
const stepSize = 64;

/** Builds the router of every listener and groups the listeners by port. */
export function* linkPorts(
  config: ResourceSet,
  { routes, scopes }: { routes: ReadonlyMap<string, LinkedRoute>; scopes: PolicyScopes },
  previous: Runtime | undefined,
  refusals: RefusedResource[],
): Generator<void, Map<number, LinkedPort>> {
  const ports = new Map<number, LinkedPort>();
  const inputs = yield* inputsByListener(routes);
  for (const { kind, name, body } of config.values()) {
    if (kind !== Kind.LISTENER) continue;
    const message = fromBinary(ListenerSchema, body);
    const secure = message.protocol === Listener_Protocol.HTTPS;
    const known = listenerOf(previous, name);
    const tls = secure ? termsOf(message, scopes.authoritiesOf(name), name, known?.tls) : undefined;
    const certificates = tls ? loadCertificates(message, tls, known, { config, refusals }) : [];
    // Its Secrets are lost, and this data plane never had them.
    if (certificates.length === 0 && message.keptCertificates.length > 0) continue;
    const steps = routerSteps(inputs.get(name) ?? [], known?.router);
    const { router, problems } = yield* steps;
    for (const problem of problems) refusals.push(refusalOf(problem, routes));
    const listener: LinkedListener = {
      name,
      hostname: message.hostname,
      trustedHops: message.trustedHops,
      router,
      guarded: guardedNames(scopes.guardedOf(name)),
      tls,
      certificates,
    };
    const port = ports.get(message.port);
    if (port && port.secure !== secure) {
      const reason = `port ${message.port} is used by a listener of another protocol`;
      refusals.push({ kind: Kind.LISTENER, name, path: 'port', reason });
    }
    const listeners = [...(port?.listeners ?? []), listener].sort(bySpecificity);
    ports.set(message.port, { port: message.port, secure, listeners });
  }
  return ports;
}

/** Those of before when they say the same. */
function termsOf(
  { minTlsVersion }: Listener,
  authorities: readonly string[],
  listener: string,
  before: TlsTerms | undefined,
): TlsTerms {
  const minVersion = minTlsVersion === Listener_TlsVersion.TLS_1_3 ? 'TLSv1.3' : 'TLSv1.2';
  const same =
    before?.minVersion === minVersion &&
    before.authorities.length === authorities.length &&
    before.authorities.every((pem, i) => pem === authorities[i]);
  return same ? before : { listener, minVersion, authorities };
}

type Inputs = Map<string, RouteInput<LinkedMatch>[]>;

function* inputsByListener(routes: ReadonlyMap<string, LinkedRoute>): Generator<void, Inputs> {
  const inputs: Inputs = new Map();
  let count = 0;
  for (const route of routes.values()) {
    if (++count % stepSize === 0) yield;
    for (const [listener, input] of route.inputs) {
      const list = inputs.get(listener);
      if (list) list.push(input);
      else inputs.set(listener, [input]);
    }
  }
  return inputs;
}

function listenerOf(runtime: Runtime | undefined, name: string): LinkedListener | undefined {
  for (const { listeners } of runtime?.ports.values() ?? []) {
    const found = listeners.find((listener) => listener.name === name);
    if (found) return found;
  }
  return undefined;
}

/** The router counts matches one by one; the refusal names the rule and the match of the resource. */
function refusalOf(
  problem: { route: string; path: string; reason: string },
  routes: ReadonlyMap<string, LinkedRoute>,
): RefusedResource {
  const { route: name, reason } = problem;
  const path = problem.path.replace(/^rules\[(\d+)\]\.matches\[0\]/, (_all, index: string) => {
    const rule = routes.get(name)?.rules[Number(index)];
    return rule ? rule.target.at : `rules[${index}]`;
  });
  return { kind: Kind.ROUTE, name, path, reason };
}

/** Exact hostnames, then wildcards from the longest, then any host (Gateway API, Listener.hostname). */
function bySpecificity(a: LinkedListener, b: LinkedListener): number {
  return rank(a.hostname) - rank(b.hostname) || b.hostname.length - a.hostname.length;
}

function rank(hostname: string): number {
  if (hostname === '') return 2;
  return hostname.startsWith('*.') ? 1 : 0;
}

/** The listener of a port that serves a host; `host` is lower-case without port. */
export function listenerFor(port: LinkedPort, host: string): LinkedListener | undefined {
  const { listeners } = port;
  if (listeners.length === 1 && listeners[0]?.hostname === '') return listeners[0];
  return listeners.find(({ hostname }) => {
    if (hostname === '' || hostname === host) return true;
    // Gateway API: a wildcard covers any number of labels.
    return hostname.startsWith('*.') && host.endsWith(hostname.slice(1));
  });
}

/** The listener by whose rules a handshake for a server name goes; '' stands for none. */
export function securing(port: LinkedPort, name: string): LinkedListener | undefined {
  return listenerFor(port, name.toLowerCase()) ?? port.listeners[0];
}

/**
 * The certificate for a server name: of the most specific listener the first that names it and is valid now,
 * else the first that names it, else its first.
 */
export function certificateFor(
  port: LinkedPort | undefined,
  name: string,
): Certificate | undefined {
  if (!port) return undefined;
  const host = name.toLowerCase();
  const certificates = securing(port, host)?.certificates ?? [];
  if (certificates.length < 2) return certificates[0];
  const now = Date.now();
  const fitting = certificates.filter(({ names }) =>
    names.some((pattern) => coversHost(pattern, host)),
  );
  const among = fitting.length > 0 ? fitting : certificates;
  return among.find((certificate) => isValid(certificate, now)) ?? among[0];
}
