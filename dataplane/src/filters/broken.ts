import { errorReply, type Reply } from '../http1/reply.ts';
import type { Filter } from './filter.ts';

/** The answer where a policy cannot be enforced. Says no more: the reason is in the status. */
export function notEnforceable(): Reply {
  return errorReply(500, 'Policy cannot be enforced');
}

/** Stands where a policy cannot be enforced: nothing gets through. */
export const brokenPolicy: Filter = { onRequest: notEnforceable };
