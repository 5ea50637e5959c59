import type { ConsumerObject, ExpressionScope, ExpressionType } from '@gatehouse/crds';
import type { Resource } from '@gatehouse/snapshot';

/**
 * What the check of a policy's rules may ask, and where it says what it finds. Paths are JSON paths
 * from the root of the object, e.g. "spec.authentication[0].jwt".
 */
export type PolicyContext = {
  namespace: string;
  /** "<namespace>/<name>" of the policy. */
  policy: string;
  /** A mistake in the object: the condition Accepted is False, and all targets fail closed. */
  report(path: string, reason: string): void;
  /**
   * An entry of a Secret in the namespace of the policy; it goes into the snapshot by policySecretName.
   * Undefined when it is missing: that was reported, ResolvedRefs is False, and all targets fail closed.
   */
  secretEntry(
    ref: { name: string; key?: string },
    key: string,
    path: string,
  ): Uint8Array | undefined;
  /** All entries of a Secret, which stay in the controller. Undefined as above. */
  secretEntries(name: string, path: string): ReadonlyMap<string, Uint8Array> | undefined;
  /** The Consumers of the namespace, sorted by name. */
  consumers(): readonly ConsumerObject[];
  /** Puts a Secret resource into the snapshot, e.g. what was derived from secretEntries. */
  put(resource: Resource): void;
  /** Checks an expression and reports what is wrong with its position. */
  expression(text: string, type: ExpressionType, scope: ExpressionScope, path: string): void;
};
