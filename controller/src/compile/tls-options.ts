import { nearest } from '@gatehouse/crds';
import { Listener_TlsVersion } from '@gatehouse/snapshot';
import type { Report } from './status.ts';

const domain = 'gatehouse.dev/';
const minVersion = `${domain}min-tls-version`;
const { TLS_1_2, TLS_1_3, TLS_VERSION_UNSPECIFIED } = Listener_TlsVersion;

const versions = new Map<string, Listener_TlsVersion>([
  ['1.2', TLS_1_2],
  ['1.3', TLS_1_3],
]);

/**
 * Reads the options of a listener (Gateway API, ListenerTLSConfig.options). Those of other domains are for
 * others. A version that cannot be read asks for the newest: a mistake must not let in what it was to keep out.
 */
export function minTlsVersion(
  options: Readonly<Record<string, string>>,
  path: string,
  report: Report,
): Listener_TlsVersion {
  let version = TLS_VERSION_UNSPECIFIED;
  for (const [name, value] of Object.entries(options)) {
    if (!name.startsWith(domain)) continue;
    const at = `${path}["${name}"]`;
    if (name === minVersion) {
      version = versions.get(value) ?? TLS_1_3;
      if (!versions.has(value)) {
        report(at, `"${value}" must be "1.2" or "1.3"; clients must speak 1.3 until it is`);
      }
    } else if (nearest(name, [minVersion]) === undefined) {
      report(at, `is not known; known is "${minVersion}"`);
    } else {
      version = version === TLS_VERSION_UNSPECIFIED ? TLS_1_3 : version;
      report(at, `is not known, write "${minVersion}"; clients must speak 1.3 until then`);
    }
  }
  return version;
}
