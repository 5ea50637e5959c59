import type { UpstreamObject } from '@gatehouse/crds';
import { type ConsulSecrets, consulSecrets } from '../../compile/consul-secrets.ts';
import { type DiscoverySource, discoverySource } from '../../compile/discovery-source.ts';
import { namespaceOf } from '../../compile/resources.ts';
import { objectKey } from '../../store/key.ts';
import type { Store } from '../../store/store.ts';
import { type ConsulTiming, watchConsul } from '../consul/index.ts';
import { type DnsTiming, watchDns } from '../dns/index.ts';
import type { Sink, SourceWatch } from './source-watch.ts';

/** Who is asked for the endpoints of an Upstream. */
export type Asked = { source: DiscoverySource; secrets: ConsulSecrets };

export type SourceTiming = { consul?: ConsulTiming; dns?: DnsTiming };

/** Undefined when nobody can be asked; compile tells why. */
export function askedFor(upstream: UpstreamObject, store: Store): Asked | undefined {
  const source = discoverySource(upstream.spec.endpoints, () => undefined);
  if (source === undefined) return undefined;
  if (source.kind === 'dns') return { source, secrets: { token: undefined, ca: undefined } };
  const namespace = namespaceOf(upstream);
  const secrets = consulSecrets(source, namespace, (name) => {
    const secret = store.get(objectKey('Secret', namespace, name));
    return secret?.kind === 'Secret' ? secret : undefined;
  });
  return 'broken' in secrets ? undefined : { source, secrets };
}

export function watchSource(
  { source, secrets }: Asked,
  sink: Sink,
  { consul, dns }: SourceTiming,
): SourceWatch {
  return source.kind === 'consul'
    ? watchConsul(source, secrets, sink, consul)
    : watchDns(source, sink, dns);
}
