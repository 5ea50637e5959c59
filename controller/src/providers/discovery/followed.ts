import type { UpstreamObject } from '@gatehouse/crds';
import type { DiscoverySource } from '../../compile/discovery-source.ts';
import { namespaceOf } from '../../compile/resources.ts';
import { listed } from '../../compile/status.ts';
import type { DiscoveryObject } from '../../store/discovery.ts';
import { type ObjectKey, objectKey } from '../../store/key.ts';
import type { SourceWatch } from './source-watch.ts';

/** An Upstream whose source is asked. */
export interface Followed {
  key: ObjectKey;
  metadata: { namespace: string; name: string };
  kind: DiscoverySource['kind'];
  /** What is asked, with its secrets. */
  identity: string;
  watch: SourceWatch | undefined;
  begun: PromiseWithResolvers<void>;
  answers: number;
  failures: number;
  lastAnswer: number | undefined;
  /** What was logged last. */
  told: string;
}

export function begin({ metadata }: UpstreamObject): Followed {
  const { name } = metadata;
  const namespace = namespaceOf({ metadata });
  return {
    key: objectKey('Discovery', namespace, name),
    metadata: { namespace, name },
    kind: 'dns',
    identity: '',
    watch: undefined,
    begun: Promise.withResolvers<void>(),
    answers: 0,
    failures: 0,
    lastAnswer: undefined,
    told: '',
  };
}

/** The line of the log for a state that was not told before. */
export function news(
  one: Followed,
  { mistakes, stale, endpoints }: Pick<DiscoveryObject, 'mistakes' | 'stale' | 'endpoints'>,
): { level: 'info' | 'warn'; text: string } | undefined {
  const mistaken = listed(mistakes);
  if (one.told === mistaken) return undefined;
  one.told = mistaken;
  const upstream = `Upstream "${one.metadata.namespace}/${one.metadata.name}"`;
  if (mistaken === '') return { level: 'info', text: `Endpoints of ${upstream} are known again` };
  const text = stale
    ? `Cannot discover endpoints of ${upstream}: ${mistaken}; ${endpoints ? 'the last list stays' : 'no list is known'}`
    : `Cannot use all endpoints of ${upstream}: ${mistaken}`;
  return { level: 'warn', text };
}
