import type { PolicyKind } from '@gatehouse/crds';
import type { Key } from '@gatehouse/snapshot';

export type Condition = {
  /** Conflicted is a condition of Gateway listeners and of policies, Overridden of policies only. */
  type: 'Accepted' | 'ResolvedRefs' | 'Conflicted' | 'Overridden';
  status: 'True' | 'False';
  /** A reason of Gateway API where it has one. */
  reason: string;
  message: string;
};

/** What became of a Route at one Gateway (Gateway API, RouteParentStatus). */
export type ParentStatus = {
  parentRef: { namespace: string; name: string; sectionName?: string; port?: number };
  conditions: Condition[];
};

/** What became of one listener of a Gateway (Gateway API, ListenerStatus). */
export type ListenerStatus = { name: string; attachedRoutes: number; conditions: Condition[] };

/** What became of a policy at one of its targets (GEP-713, PolicyAncestorStatus). */
export type AncestorStatus = {
  ancestorRef: { kind: 'Gateway' | 'Route'; namespace: string; name: string; sectionName?: string };
  conditions: Condition[];
  /** Why nothing of it is enforced there; undefined when that is up to the data planes. */
  unenforced: { reason: string; message: string } | undefined;
};

/** What is in force at one target of a policy, by precedence. */
export type EffectiveStatus = {
  target: string;
  rules: { name: string; from: string; overrides?: string[] }[];
};

/** What became of an object, for the generation that was compiled. */
export type ObjectStatus = {
  kind: 'Gateway' | 'Route' | 'Upstream' | 'Consumer' | PolicyKind;
  namespace: string;
  name: string;
  generation: number;
  conditions: Condition[];
  /** Routes only. */
  parents?: ParentStatus[];
  /** Gateways only. */
  listeners?: ListenerStatus[];
  /** Policies only. */
  ancestors?: AncestorStatus[];
  effective?: EffectiveStatus[];
  /** Resources of the snapshot that exist because of this object; Programmed follows from their acks. */
  resources: Key[];
};

/** Something wrong in an object, with the JSON path of the field. */
export type Mistake = { path: string; reason: string };

/** A reference that leads nowhere; `code` is the reason of the condition. */
export type BrokenRef = Mistake & {
  code:
    | 'BackendNotFound'
    | 'RefNotPermitted'
    | 'InvalidCertificateRef'
    | 'SecretNotFound'
    | 'InvalidSecret'
    | 'DiscoveryFailed';
};

/** Takes down a mistake. */
export type Report = (path: string, reason: string) => void;

export function accepted(message = ''): Condition {
  return { type: 'Accepted', status: 'True', reason: 'Accepted', message };
}

export function refused(reason: string, message: string): Condition {
  return { type: 'Accepted', status: 'False', reason, message };
}

/**
 * ResolvedRefs; its reason is that of the first broken reference, its message holds all.
 * @param note told when nothing is broken.
 */
export function resolvedRefs(broken: readonly BrokenRef[], note = ''): Condition {
  const first = broken[0];
  return first
    ? { type: 'ResolvedRefs', status: 'False', reason: first.code, message: listed(broken) }
    : { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: note };
}

/** Kubernetes refuses condition messages of more than 32768 characters. */
const longestMessage = 30_000;

/** "path: reason; path: reason" */
export function listed(mistakes: readonly Mistake[]): string {
  return joined(mistakes.map(({ path, reason }) => `${path}: ${reason}`));
}

export function joined(messages: readonly string[]): string {
  let text = '';
  for (const [i, message] of messages.entries()) {
    if (text.length + message.length > longestMessage)
      return `${text}; ${messages.length - i} more`;
    text += i === 0 ? message : `; ${message}`;
  }
  return text;
}
