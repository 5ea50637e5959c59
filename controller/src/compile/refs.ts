import { defaults, type ServiceObject } from '@gatehouse/crds';
import type { Referred, Referrer } from './grants.ts';
import { type Lack, lackText } from './reach.ts';
import { idOf } from './resources.ts';
import type { BrokenRef } from './status.ts';
import type { CheckedUpstream } from './upstream.ts';

/** A reference to a Service or an Upstream. */
export type Ref = Referred & {
  /** JSON path of the reference. */
  path: string;
  kind: 'Service' | 'Upstream';
  port?: number;
  /** The object that it stands in. */
  from: Referrer;
};

type RefFields = {
  kind?: 'Service' | 'Upstream';
  name: string;
  namespace?: string;
  port?: number;
};

export type ServicePort = {
  service: ServiceObject;
  name: string;
  port: number;
  /** It speaks HTTP/2 by prior knowledge (GEP-1911). Other values of appProtocol change nothing. */
  h2c: boolean;
};

/** What gets the requests of a reference: an Upstream resource by name. */
export type Backend =
  | ({ kind: 'Service'; upstream: string } & ServicePort)
  | { kind: 'Upstream'; upstream: string; checked: CheckedUpstream };

export function refOf(fields: RefFields, from: Referrer, path: string): Ref {
  const { kind = defaults.backendKind, namespace = from.namespace, name, port } = fields;
  return {
    path,
    kind,
    namespace,
    name,
    id: `${namespace}/${name}`,
    ...(port === undefined ? {} : { port }),
    from,
  };
}

/** The object a reference names, or why it cannot be had. */
export type Lookup = (ref: Ref) => ServiceObject | CheckedUpstream | Lack;

export function resolveBackend(ref: Ref, lookup: Lookup): Backend | BrokenRef {
  const { id, path } = ref;
  const target = lookup(ref);
  const notFound = (reason: string): BrokenRef => ({ code: 'BackendNotFound', path, reason });
  if (typeof target === 'string') {
    const reason = lackText(target, ref.from, ref);
    return target === 'not permitted'
      ? { code: 'RefNotPermitted', path, reason }
      : notFound(reason);
  }
  if ('mistakes' in target) {
    if (!target.usable) return notFound(`Upstream "${id}" is not accepted`);
    return { kind: 'Upstream', upstream: `upstream/${idOf(target.object)}`, checked: target };
  }
  const port = findPort(target, ref.port);
  if (typeof port === 'string') return notFound(port);
  return { kind: 'Service', upstream: `service/${idOf(target)}/${port.port}`, ...port };
}

/** The TCP port of a Service that a reference means, or why there is none. */
export function findPort(service: ServiceObject, wanted: number | undefined): ServicePort | string {
  const id = idOf(service);
  const all = service.spec?.ports ?? [];
  const tcp = all.filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  const found = wanted === undefined ? tcp : tcp.filter(({ port }) => port === wanted);
  const [first, second] = found;
  if (first === undefined) {
    return wanted === undefined
      ? `Service "${id}" has no TCP port`
      : `Service "${id}" has no TCP port ${wanted}`;
  }
  if (second !== undefined) return `Service "${id}" has several ports, give port`;
  return {
    service,
    name: first.name ?? '',
    port: first.port,
    h2c: first.appProtocol === 'kubernetes.io/h2c',
  };
}
