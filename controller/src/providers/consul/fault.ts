import { type ConsulSource, consulPath } from '../../compile/discovery-source.ts';
import type { Fault } from '../discovery/source-watch.ts';

/** What the errors of the package and of Node have. */
type Raised = {
  code?: unknown;
  isTimeout?: unknown;
  isAbort?: unknown;
  isCodec?: unknown;
  isResponse?: unknown;
  response?: { statusCode?: number; body?: unknown };
};

const at = (field: string) => `${consulPath}.${field}`;

/**
 * What an error means for the one who wrote the Upstream. Never its own text: answers may quote a token,
 * and the errors of the package carry the whole request.
 */
export function faultOf(error: unknown, source: ConsulSource): Fault {
  const raised = (typeof error === 'object' && error !== null ? error : {}) as Raised;
  const { statusCode, body } = raised.response ?? {};
  if (raised.isResponse && statusCode !== undefined)
    return ofStatus(statusCode, String(body ?? ''), source);
  if (raised.isCodec) return noConsul(source);
  const reason = raised.isTimeout
    ? 'does not answer in time'
    : raised.isAbort
      ? 'closed the connection in the middle of an answer'
      : (reasons[String(raised.code)] ?? tlsReason(String(raised.code), source));
  const certificate = reason.includes('certificate');
  return fault(certificate ? at('tls') : at('address'), `${named(source)} ${reason}`, true);
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'refuses connections: start it, or correct the address',
  ENOTFOUND: 'cannot be reached: its host has no address',
  EAI_AGAIN: 'cannot be reached: its host cannot be resolved just now',
  EHOSTUNREACH: 'cannot be reached: there is no route to its host',
  ENETUNREACH: 'cannot be reached: there is no route to its network',
  ETIMEDOUT: 'cannot be reached in time',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
  EPROTO: 'does not speak TLS: name the port of its HTTPS, or begin the address with http://',
  CERT_HAS_EXPIRED: 'has a certificate that has expired: renew it',
};

function tlsReason(code: string, { serverName, address }: ConsulSource): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const name = serverName ?? address.hostname;
    return `has a certificate that is not for "${name}": give one of its names as tls.serverName`;
  }
  if (code.startsWith('HPE_')) return 'does not answer as Consul does: correct the address';
  if (/CERT|SIGNED|VERIFY|ISSUER/.test(code)) {
    return 'has a certificate that is not trusted: name its authority in tls.caSecretRef';
  }
  return 'cannot be asked: correct the address';
}

function ofStatus(status: number, body: string, source: ConsulSource): Fault {
  const { service, datacenter, tokenRef } = source;
  const token = tokenRef === undefined ? consulPath : at('tokenSecretRef');
  if (status === 401 || status === 403) {
    return body.includes('ACL not found')
      ? fault(token, `${named(source)} does not know the token: put a valid one into the Secret`)
      : fault(token, deniedReason(source));
  }
  if (body.includes('No path to datacenter')) {
    const reason = `${named(source)} knows no datacenter "${datacenter}": name one that "consul catalog datacenters" lists`;
    return fault(at('datacenter'), reason);
  }
  if (body.includes('No cluster leader')) {
    return fault(at('address'), `${named(source)} has no leader`, true);
  }
  if (status === 429) {
    const reason = `${named(source)} takes no more connections of this client: raise its limits.http_max_conns_per_client`;
    return fault(at('address'), reason, true);
  }
  if (body.includes('HTTP request to an HTTPS server')) {
    return fault(at('address'), `${named(source)} speaks TLS: begin the address with https://`);
  }
  if (status >= 500) {
    return fault(at('address'), `${named(source)} answers with status ${status}`, true);
  }
  const reason = `${named(source)} answers with status ${status} to the question for service "${service}": correct the address`;
  return fault(at('address'), reason);
}

/** The answer is none that Consul gives. */
export function noConsul(source: ConsulSource): Fault {
  const reason = `${named(source)} does not answer as Consul does: correct the address`;
  return fault(at('address'), reason);
}

export function denied(source: ConsulSource): Fault {
  const { tokenRef } = source;
  return fault(tokenRef === undefined ? consulPath : at('tokenSecretRef'), deniedReason(source));
}

function deniedReason(source: ConsulSource): string {
  const { service, tokenRef } = source;
  const rights = `"read" for service "${service}" and for its nodes`;
  return tokenRef === undefined
    ? `${named(source)} denies by default: name a token with ${rights} in tokenSecretRef`
    : `${named(source)} hides instances from the token: give it ${rights}`;
}

export function unknownService(source: ConsulSource): Fault {
  const where = source.datacenter === undefined ? '' : ` in datacenter "${source.datacenter}"`;
  const reason = `${named(source)} knows no service "${source.service}"${where}: register it, or correct the name`;
  return fault(at('service'), reason);
}

export function unknownTags(source: ConsulSource, instances: number): Fault {
  const { service, tags } = source;
  const reason = `none of the instances of service "${service}" (${instances}) has all of these tags: ${tags.join(', ')}`;
  return fault(at('tags'), reason);
}

function fault(path: string, reason: string, transient = false): Fault {
  return { mistakes: [{ path, reason }], transient };
}

function named({ address }: ConsulSource): string {
  return `Consul at "${address.origin}"`;
}
