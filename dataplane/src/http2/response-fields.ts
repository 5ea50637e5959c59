import { trailerText } from '../http1/body-text.ts';
import { informationalLines, type ResponseHead } from '../http1/response-head.ts';
import { addFields } from './field-list.ts';

/** The list with which `lines` are sent as the head of a response (RFC 9113 section 8.3.2). */
export function responseList(status: number, lines: string): string[] {
  const list = [':status', String(status)];
  addFields(list, lines, 0);
  return list;
}

/** A 1xx response in the form that node:http2 takes for it. */
export function informationalFields(head: ResponseHead): Record<string, string[]> {
  return byName(responseList(head.status, informationalLines(head)));
}

/** Trailers that may be passed on, in the form that node:http2 takes for them. */
export function trailerFields(trailers: readonly string[]): Record<string, string[]> {
  const list: string[] = [];
  addFields(list, trailerText(trailers), 0);
  return byName(list);
}

function byName(list: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] ?? '';
    const values = fields[name] ?? [];
    values.push(list[i + 1] ?? '');
    fields[name] = values;
  }
  return fields;
}
