import { Kind, keyOf } from '@gatehouse/snapshot';
import type { CheckedGateway } from './gateway.ts';
import type { JudgedListener } from './listeners.ts';
import { namespaceOf } from './resources.ts';
import {
  accepted,
  type Condition,
  joined,
  type ListenerStatus,
  listed,
  type ObjectStatus,
  refused,
  resolvedRefs,
} from './status.ts';

/**
 * @param judged the listeners of this Gateway.
 * @param attached number of Routes by id of the listener.
 */
export function gatewayStatus(
  { object, mistakes, listeners: inOrder }: CheckedGateway,
  judged: readonly JudgedListener[],
  attached: ReadonlyMap<string, number>,
): ObjectStatus {
  const listeners = inOrder.flatMap(({ path }) => judged.find((one) => one.path === path) ?? []);
  const sound = listeners.filter(({ out }) => out === '');
  const served = listeners.filter((listener) => listener.served);
  const problems = [
    ...(mistakes.length > 0 ? [listed(mistakes)] : []),
    ...listeners
      .filter(({ out }) => out !== '')
      .map(({ path, out, served }) => `${path}: ${served ? '' : 'left out, '}${out}`),
  ];
  const secrets = new Set(served.flatMap((listener) => listener.secrets.map(({ name }) => name)));
  return {
    kind: 'Gateway',
    namespace: namespaceOf(object),
    name: object.metadata.name,
    generation: object.metadata.generation ?? 0,
    conditions: [
      acceptance(problems, sound.length, listeners.length),
      resolvedRefs(listeners.flatMap(({ broken }) => broken)),
    ],
    listeners: listeners.map((listener) =>
      listenerStatus(listener, attached.get(listener.id) ?? 0),
    ),
    resources: [
      ...served.map(({ id }) => keyOf(Kind.LISTENER, id)),
      ...[...secrets].sort().map((name) => keyOf(Kind.SECRET, name)),
    ],
  };
}

function acceptance(problems: readonly string[], sound: number, all: number): Condition {
  if (problems.length === 0) return accepted();
  if (sound === 0) return refused('ListenersNotValid', joined(problems));
  const reason = sound < all ? 'ListenersNotValid' : 'PartiallyInvalid';
  return { ...accepted(joined(problems)), reason };
}

function listenerStatus(
  { section, conflict, out, broken }: JudgedListener,
  attachedRoutes: number,
): ListenerStatus {
  return {
    name: section,
    attachedRoutes,
    conditions: [
      out === '' ? accepted() : refused(conflict?.reason ?? 'InvalidCertificateRef', out),
      {
        type: 'Conflicted',
        status: conflict ? 'True' : 'False',
        reason: conflict?.reason ?? 'NoConflicts',
        message: conflict?.message ?? '',
      },
      resolvedRefs(broken),
    ],
  };
}
