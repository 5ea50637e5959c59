import { fieldsOf } from '../../providers/kubernetes/index.ts';

/** metav1.Condition */
export interface WrittenCondition {
  type: string;
  status: string;
  observedGeneration: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
}

type Wanted = Pick<WrittenCondition, 'type' | 'status' | 'reason' | 'message'>;

/** The API server refuses longer messages. */
const longestMessage = 32_768;

/**
 * Conditions as they are to be written: lastTransitionTime is kept as long as the status of a
 * condition does not change.
 * @param present the conditions that the object has now, whoever wrote them.
 * @param now RFC 3339.
 */
export function written(
  wanted: readonly Wanted[],
  present: unknown,
  observedGeneration: number,
  now: string,
): WrittenCondition[] {
  return wanted.map(({ type, status, reason, message }) => {
    const before = conditionIn(present, type);
    const kept = before?.status === status ? before.lastTransitionTime : undefined;
    return {
      type,
      status,
      observedGeneration,
      lastTransitionTime: typeof kept === 'string' ? kept : now,
      reason,
      message: message.slice(0, longestMessage),
    };
  });
}

/**
 * Whether the present conditions say the same. How many data planes acknowledged an object that all
 * of them serve is no news.
 */
export function sameConditions(wanted: readonly WrittenCondition[], present: unknown): boolean {
  return wanted.every((one) => {
    const before = conditionIn(present, one.type);
    const counts = one.type === 'Programmed' || one.type === 'Enforced';
    const settled = counts && one.status === 'True';
    return (
      before !== undefined &&
      before.status === one.status &&
      before.reason === one.reason &&
      before.observedGeneration === one.observedGeneration &&
      typeof before.lastTransitionTime === 'string' &&
      (settled || before.message === one.message)
    );
  });
}

export function conditionIn(
  conditions: unknown,
  type: string,
): Record<string, unknown> | undefined {
  if (!Array.isArray(conditions)) return undefined;
  return conditions.map(fieldsOf).find((condition) => condition.type === type);
}
