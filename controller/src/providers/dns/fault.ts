import { type DnsSource, dnsPath } from '../../compile/discovery-source.ts';
import type { Fault } from '../discovery/source-watch.ts';

/** What an error of node:dns means for the one who wrote the Upstream. */
export function faultOf(error: unknown, source: DnsSource): Fault {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  const name = `"${source.name}"`;
  const asked = source.resolvers.length > 0 ? `${dnsPath}.resolvers` : `${dnsPath}.name`;
  const servers = source.resolvers.join(', ') || 'those of the system';
  switch (code) {
    case 'ENOTFOUND':
      return fault(
        `${dnsPath}.name`,
        `${name} does not exist (NXDOMAIN): create it, or correct it`,
      );
    case 'ENODATA':
      return noRecords(source);
    case 'ESERVFAIL':
      return fault(
        `${dnsPath}.name`,
        `${name} cannot be resolved just now (SERVFAIL): see the log of the name server`,
        true,
      );
    case 'EREFUSED':
      return fault(asked, `the name servers (${servers}) refuse to answer: let the controller ask`);
    case 'ECONNREFUSED':
      return fault(
        asked,
        `no name server (${servers}) can be reached: start it, or correct it`,
        true,
      );
    case 'ETIMEOUT':
      return fault(asked, `no name server (${servers}) answers in time`, true);
    default:
      return fault(asked, `${name} cannot be resolved (${codeText(code)})`, true);
  }
}

export function noRecords({ name, records }: DnsSource): Fault {
  const wanted = records === 'Address' ? 'A or AAAA' : records;
  const reason = `"${name}" has no ${wanted} records: create them, or ask for others in records`;
  return fault(`${dnsPath}.name`, reason);
}

/** @param names each an alias of the next. */
export function cnameLoop(names: readonly string[]): Fault {
  const reason = `its CNAME records lead in a circle (${names.join(' -> ')}): correct one of them`;
  return fault(`${dnsPath}.name`, reason);
}

function codeText(code: unknown): string {
  return typeof code === 'string' && /^[A-Z_]{1,32}$/.test(code) ? code : 'of an unknown reason';
}

function fault(path: string, reason: string, transient = false): Fault {
  return { mistakes: [{ path, reason }], transient };
}
