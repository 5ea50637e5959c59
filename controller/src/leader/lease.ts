import { type ApiServer, fieldsOf } from '../providers/kubernetes/index.ts';

/** A coordination.k8s.io/v1 Lease, as far as the election reads it. */
export interface Lease {
  resourceVersion: string;
  holder: string;
  /** Seconds. */
  duration: number;
  acquireTime: string | undefined;
  renewTime: string | undefined;
  transitions: number;
}

export function leasePath(namespace: string, name?: string): string {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return name === undefined ? path : `${path}/${name}`;
}

export function leaseOf(object: unknown): Lease {
  const { metadata, spec } = fieldsOf(object);
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } =
    fieldsOf(spec);
  return {
    resourceVersion: String(fieldsOf(metadata).resourceVersion ?? ''),
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    duration: Number(leaseDurationSeconds ?? 0),
    acquireTime: typeof acquireTime === 'string' ? acquireTime : undefined,
    renewTime: typeof renewTime === 'string' ? renewTime : undefined,
    transitions: Number(leaseTransitions ?? 0),
  };
}

/** Creates or replaces a Lease; with a resourceVersion only when nobody else wrote meanwhile. */
export async function writeLease(
  api: ApiServer,
  { namespace, name, timeout }: { namespace: string; name: string; timeout: number },
  lease: Lease,
): Promise<Lease> {
  const { resourceVersion, holder, duration, acquireTime, renewTime, transitions } = lease;
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace, ...(resourceVersion === '' ? {} : { resourceVersion }) },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: duration,
      acquireTime,
      renewTime,
      leaseTransitions: transitions,
    },
  };
  const created = resourceVersion === '';
  const answer = await api.request({
    method: created ? 'POST' : 'PUT',
    path: leasePath(namespace, created ? undefined : name),
    body,
    timeout,
  });
  return leaseOf(answer);
}

/** metav1.MicroTime. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
