import { defaults, type ServiceObject } from '@gatehouse/crds';
import { idOf } from './resources.ts';
import type { BrokenRef } from './status.ts';
import type { CheckedUpstream } from './upstream.ts';

/** A reference to a Service or an Upstream. */
export type Ref = {
  /** JSON path of the reference. */
  path: string;
  kind: 'Service' | 'Upstream';
  /** "<namespace>/<name>" */
  id: string;
  port?: number;
  /** False when it leaves the namespace of its object. */
  local: boolean;
};

type RefFields = {
  kind?: 'Service' | 'Upstream';
  name: string;
  namespace?: string;
  port?: number;
};

export type ServicePort = { service: ServiceObject; name: string; port: number };

/** What gets the requests of a reference: an Upstream resource by name. */
export type Backend =
  | ({ kind: 'Service'; upstream: string } & ServicePort)
  | { kind: 'Upstream'; upstream: string; checked: CheckedUpstream };

export function refOf(fields: RefFields, namespace: string, path: string): Ref {
  return {
    path,
    kind: fields.kind ?? defaults.backendKind,
    id: `${fields.namespace ?? namespace}/${fields.name}`,
    ...(fields.port === undefined ? {} : { port: fields.port }),
    local: fields.namespace === undefined || fields.namespace === namespace,
  };
}

/** The object a reference names; undefined when there is none or it may not be used. */
export type Lookup = (ref: Ref) => ServiceObject | CheckedUpstream | undefined;

export function resolveBackend(ref: Ref, lookup: Lookup): Backend | BrokenRef {
  const { kind, id, path } = ref;
  if (!ref.local) return notPermitted(kind, id, path);
  const target = lookup(ref);
  const notFound = (reason: string): BrokenRef => ({ code: 'BackendNotFound', path, reason });
  if (target === undefined) return notFound(`${kind} "${id}" does not exist`);
  if ('mistakes' in target) {
    if (!target.usable) return notFound(`Upstream "${id}" is not accepted`);
    return { kind: 'Upstream', upstream: `upstream/${idOf(target.object)}`, checked: target };
  }
  const port = findPort(target, ref.port);
  if (typeof port === 'string') return notFound(port);
  return { kind: 'Service', upstream: `service/${idOf(target)}/${port.port}`, ...port };
}

export function notPermitted(kind: string, id: string, path: string): BrokenRef {
  const reason = `${kind} "${id}" is in another namespace, which no ReferenceGrant allows`;
  return { code: 'RefNotPermitted', path, reason };
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
  return { service, name: first.name ?? '', port: first.port };
}
