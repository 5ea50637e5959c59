import {
  defaultLimits,
  Progress,
  type RequestHead,
  RequestReader,
} from '@gatehouse/dataplane/explain';
import type { Asked } from './asked.ts';

/** Reads the request as a data plane does; a rejection when it would not be forwarded. */
export function readHead({
  method,
  target,
  fields,
}: Asked): RequestHead | { status: number; error: string } {
  const reader = new RequestReader(defaultLimits);
  const text = [`${method} ${target} HTTP/1.1`, ...fields, '', ''].join('\r\n');
  const progress = reader.read(Buffer.from(text), false);
  if (progress === Progress.head) return reader.head;
  if (progress === Progress.tooLarge) return { status: 413, error: 'Content too large' };
  return reader.rejection;
}
