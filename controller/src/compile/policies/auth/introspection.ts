import type { IntrospectionMethod } from '@gatehouse/crds';
import { milliseconds } from '../../durations.ts';
import type { PolicyContext } from '../context.ts';
import { checkClient, checkTimeout, checkUrl } from './remote-call.ts';

/** What the schema cannot say about an introspection endpoint (RFC 7662). */
export function checkIntrospection(
  config: IntrospectionMethod,
  path: string,
  context: PolicyContext,
): void {
  checkUrl(config.url, `${path}.url`, context);
  checkClient(config, path, context);
  checkTimeout(config.timeout, `${path}.timeout`, context);
  if (config.cache !== undefined) milliseconds(config.cache, `${path}.cache`, context.report);
}
