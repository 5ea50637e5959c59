import type { AuthenticationMethod } from '@gatehouse/crds';
import type { PolicyContext } from '../context.ts';

/** What the schema cannot say about a method. */
export function checkMethod(
  _method: AuthenticationMethod,
  _path: string,
  _context: PolicyContext,
): void {}
