import { errorReply, type Reply } from '../../http1/reply.ts';
import type { Attempt } from './method.ts';

/** RFC 9110 section 15.6.4: it may work again soon, unlike what answers 500. */
export function unavailableReply(): Reply {
  const reply = errorReply(503, 'Authentication is not available');
  return { ...reply, fields: `${reply.fields}retry-after: 1\r\n` };
}

/** What it takes to judge the client is not there at the moment. */
export function unavailable(reason: string): Attempt {
  return { kind: 'unavailable', reason, reply: unavailableReply() };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
