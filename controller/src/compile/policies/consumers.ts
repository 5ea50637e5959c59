import type { ConsumerObject, SecretObject } from '@gatehouse/crds';
import { namespaceOf } from '../resources.ts';
import { accepted, type BrokenRef, type ObjectStatus, resolvedRefs } from '../status.ts';

/** A Consumer by itself: nothing is served of it, policies that count consumers read it. */
export function consumerStatus(
  consumer: ConsumerObject,
  secrets: ReadonlyMap<string, SecretObject>,
): ObjectStatus {
  const namespace = namespaceOf(consumer);
  const broken = (consumer.spec.apiKeys ?? []).flatMap(({ name }, i): BrokenRef[] =>
    secrets.has(`${namespace}/${name}`)
      ? []
      : [
          {
            code: 'SecretNotFound',
            path: `spec.apiKeys[${i}].name`,
            reason: `Secret "${namespace}/${name}" does not exist: create it`,
          },
        ],
  );
  return {
    kind: 'Consumer',
    namespace,
    name: consumer.metadata.name,
    generation: consumer.metadata.generation ?? 0,
    conditions: [accepted(), resolvedRefs(broken)],
    resources: [],
  };
}
