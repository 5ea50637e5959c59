import { create } from '@bufbuild/protobuf';
import { defaults, type GatewayListener, type GatewayObject } from '@gatehouse/crds';
import {
  Kind,
  Listener_Protocol,
  ListenerSchema,
  type Resource,
  resourceOf,
} from '@gatehouse/snapshot';
import type { CheckedSecret } from './certificates.ts';
import { notPermitted } from './refs.ts';
import { createdAt, idOf, namespaceOf } from './resources.ts';
import type { BrokenRef, Mistake } from './status.ts';

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
  broken: BrokenRef[];
  secrets: Resource[];
  resource: Resource;
};

export type CheckedGateway = {
  object: GatewayObject;
  mistakes: Mistake[];
  listeners: CheckedListener[];
};

/** What a certificateRef leads to, by "<namespace>/<name>"; undefined when there is no such Secret. */
export type SecretLookup = (id: string) => CheckedSecret | undefined;

export function secretIds(gateway: GatewayObject): string[] {
  return gateway.spec.listeners.flatMap(({ tls }) =>
    (tls?.certificateRefs ?? []).map(
      ({ name, namespace = namespaceOf(gateway) }) => `${namespace}/${name}`,
    ),
  );
}

export function checkGateway(object: GatewayObject, lookup: SecretLookup): CheckedGateway {
  const hops = object.metadata.annotations?.[trustedHops];
  const fits = hops === undefined || (/^[0-9]{1,2}$/.test(hops) && Number(hops) <= 16);
  const trusted = hops !== undefined && fits ? Number(hops) : 0;
  return {
    object,
    mistakes: fits
      ? []
      : [
          {
            path: `metadata.annotations["${trustedHops}"]`,
            reason: `"${hops}" must be a number from 0 to 16; no proxy is trusted`,
          },
        ],
    listeners: object.spec.listeners.map((listener, i) =>
      checkListener(object, listener, `spec.listeners[${i}]`, trusted, lookup),
    ),
  };
}

function checkListener(
  gateway: GatewayObject,
  listener: GatewayListener,
  path: string,
  trusted: number,
  lookup: SecretLookup,
): CheckedListener {
  const { name, port, protocol, tls, allowedRoutes } = listener;
  const id = `${idOf(gateway)}/${name}`;
  const hostname = listener.hostname?.toLowerCase() ?? '';
  const { secrets, broken } =
    protocol === 'HTTPS'
      ? checkCertificates(
          gateway,
          tls?.certificateRefs ?? [],
          `${path}.tls.certificateRefs`,
          lookup,
        )
      : { secrets: [], broken: [] };
  const message = create(ListenerSchema, {
    port,
    protocol: Listener_Protocol[protocol],
    hostname,
    certificates: secrets.map((secret) => secret.name),
    trustedHops: trusted,
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
    from: allowedRoutes?.namespaces?.from ?? defaults.allowedRoutesFrom,
    broken,
    secrets,
    resource: resourceOf(Kind.LISTENER, id, ListenerSchema, message),
  };
}

function checkCertificates(
  gateway: GatewayObject,
  refs: readonly { name: string; namespace?: string }[],
  path: string,
  lookup: SecretLookup,
): { secrets: Resource[]; broken: BrokenRef[] } {
  const secrets = new Map<string, Resource>();
  const broken: BrokenRef[] = [];
  const invalid = (at: string, reason: string) =>
    broken.push({ code: 'InvalidCertificateRef', path: at, reason });
  const own = namespaceOf(gateway);
  if (refs.length === 0) invalid(path, 'is needed for HTTPS');
  for (const [i, { name, namespace = own }] of refs.entries()) {
    const at = `${path}[${i}]`;
    const id = `${namespace}/${name}`;
    const secret = namespace === own ? lookup(id) : undefined;
    if (namespace !== own) broken.push(notPermitted('Secret', id, at));
    else if (secret === undefined) invalid(at, `Secret "${id}" does not exist`);
    else if ('reason' in secret) invalid(at, secret.reason);
    else secrets.set(secret.resource.name, secret.resource);
  }
  return { secrets: [...secrets.values()], broken };
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
    broken: [],
    secrets: [],
    resource: resourceOf(Kind.LISTENER, id, ListenerSchema, message),
  };
}
