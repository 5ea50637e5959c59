import { create } from '@bufbuild/protobuf';
import { defaults, type GatewayListener, type GatewayObject } from '@gatehouse/crds';
import {
  Kind,
  Listener_Protocol,
  Listener_TlsVersion,
  ListenerSchema,
  type Resource,
  resourceOf,
} from '@gatehouse/snapshot';
import type { CheckedSecret } from './certificates.ts';
import type { Referred, Referrer } from './grants.ts';
import { type Lack, lackText } from './reach.ts';
import { createdAt, idOf, namespaceOf } from './resources.ts';
import { checkSelector, type Selector } from './selector.ts';
import type { BrokenRef, Mistake, Report } from './status.ts';
import { minTlsVersion } from './tls-options.ts';

type CertificateRef = { name: string; namespace?: string };

const trustedHops = 'gatehouse.dev/trusted-hops';

/** A listener before it is compared with those of other Gateways. */
export type CheckedListener = {
  /** "<namespace>/<gateway>/<listener>" */
  id: string;
  gateway: string;
  created: number;
  /** JSON path in the Gateway. */
  path: string;
  section: string;
  protocol: 'HTTP' | 'HTTPS';
  port: number;
  hostname: string;
  from: 'All' | 'Same' | 'Selector' | 'None';
  /** Undefined: selects no namespace. */
  selector: Selector | undefined;
  broken: BrokenRef[];
  secrets: Resource[];
  /** Names of Secrets that it refers to and that cannot be served as they are now. */
  lost: string[];
  resource: Resource;
};

export type CheckedGateway = {
  object: GatewayObject;
  mistakes: Mistake[];
  listeners: CheckedListener[];
};

/** What a certificateRef leads to. */
export type SecretLookup = (from: Referrer, to: Referred) => CheckedSecret | Lack;

function referrerOf(gateway: GatewayObject): Referrer {
  return { kind: 'Gateway', namespace: namespaceOf(gateway) };
}

function secretRef({ name, namespace }: CertificateRef, from: Referrer): Referred {
  const at = namespace ?? from.namespace;
  return { kind: 'Secret', namespace: at, name, id: `${at}/${name}` };
}

/** What every certificateRef leads to, in order. */
export function foundSecrets(
  gateway: GatewayObject,
  lookup: SecretLookup,
): (CheckedSecret | Lack)[] {
  const from = referrerOf(gateway);
  return gateway.spec.listeners.flatMap(({ tls }) =>
    (tls?.certificateRefs ?? []).map((ref) => lookup(from, secretRef(ref, from))),
  );
}

export function checkGateway(object: GatewayObject, lookup: SecretLookup): CheckedGateway {
  const hops = object.metadata.annotations?.[trustedHops];
  const fits = hops === undefined || (/^[0-9]{1,2}$/.test(hops) && Number(hops) <= 16);
  const trusted = hops !== undefined && fits ? Number(hops) : 0;
  const mistakes: Mistake[] = [];
  const report: Report = (path, reason) => mistakes.push({ path, reason });
  if (!fits) {
    const reason = `"${hops}" must be a number from 0 to 16; no proxy is trusted`;
    report(`metadata.annotations["${trustedHops}"]`, reason);
  }
  const listeners = object.spec.listeners.map((listener, i) =>
    checkListener(object, listener, `spec.listeners[${i}]`, { trusted, lookup, report }),
  );
  return { object, mistakes, listeners };
}

function checkListener(
  gateway: GatewayObject,
  listener: GatewayListener,
  path: string,
  { trusted, lookup, report }: { trusted: number; lookup: SecretLookup; report: Report },
): CheckedListener {
  const { name, port, protocol, tls, allowedRoutes } = listener;
  const id = `${idOf(gateway)}/${name}`;
  const hostname = listener.hostname?.toLowerCase() ?? '';
  const { from = defaults.allowedRoutesFrom, selector } = allowedRoutes?.namespaces ?? {};
  const certificates =
    protocol === 'HTTPS'
      ? checkCertificates(
          referrerOf(gateway),
          tls?.certificateRefs ?? [],
          `${path}.tls.certificateRefs`,
          lookup,
        )
      : { secrets: [], lost: [], broken: [] };
  const message = create(ListenerSchema, {
    port,
    protocol: Listener_Protocol[protocol],
    hostname,
    certificates: certificates.secrets.map((secret) => secret.name),
    keptCertificates: certificates.lost,
    trustedHops: trusted,
    minTlsVersion:
      protocol === 'HTTPS'
        ? minTlsVersion(tls?.options ?? {}, `${path}.tls.options`, report)
        : Listener_TlsVersion.TLS_VERSION_UNSPECIFIED,
  });
  return {
    id,
    gateway: idOf(gateway),
    created: createdAt(gateway),
    path,
    section: name,
    protocol,
    port,
    hostname,
    from,
    selector:
      from === 'Selector'
        ? checkSelector(selector, `${path}.allowedRoutes.namespaces.selector`, report)
        : undefined,
    ...certificates,
    resource: resourceOf(Kind.LISTENER, id, ListenerSchema, message),
  };
}

function checkCertificates(
  from: Referrer,
  refs: readonly CertificateRef[],
  path: string,
  lookup: SecretLookup,
): Pick<CheckedListener, 'secrets' | 'lost' | 'broken'> {
  const secrets = new Map<string, Resource>();
  const lost = new Set<string>();
  const broken: BrokenRef[] = [];
  const invalid = (at: string, reason: string) =>
    broken.push({ code: 'InvalidCertificateRef', path: at, reason });
  if (refs.length === 0) invalid(path, 'is needed for HTTPS');
  for (const [i, ref] of refs.entries()) {
    const at = `${path}[${i}]`;
    const to = secretRef(ref, from);
    const found = lookup(from, to);
    if (found === 'not permitted') {
      broken.push({ code: 'RefNotPermitted', path: at, reason: lackText(found, from, to) });
    } else if (typeof found === 'object' && 'resource' in found) {
      secrets.set(to.id, found.resource);
    } else {
      lost.add(to.id);
      invalid(at, typeof found === 'string' ? lackText(found, from, to) : found.reason);
    }
  }
  return { secrets: [...secrets.values()], lost: [...lost], broken };
}

/** What listens when there is no Gateway at all: port 8080, any host, Routes of every namespace. */
export function defaultListener(): CheckedListener {
  const id = 'default/default/http';
  const message = create(ListenerSchema, { port: 8080, protocol: Listener_Protocol.HTTP });
  return {
    id,
    gateway: 'default/default',
    created: 0,
    path: '',
    section: 'http',
    protocol: 'HTTP',
    port: 8080,
    hostname: '',
    from: 'All',
    selector: undefined,
    broken: [],
    secrets: [],
    lost: [],
    resource: resourceOf(Kind.LISTENER, id, ListenerSchema, message),
  };
}
