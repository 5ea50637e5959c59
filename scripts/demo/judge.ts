import { isDeepStrictEqual } from 'node:util';
import type { Check } from '../../examples/check.ts';
import { type Answer, callOnce, createCaller } from './call.ts';
import { portOf, type Target, withPorts } from './target.ts';

/** A copy of a request may arrive so many milliseconds after the answer. */
const copyTimeout = 3000;

/** What takes a moment is given so many milliseconds. */
const patience = 5000;

/** Sends what a check says. Returns what is not as expected, a line each. */
export async function judge(check: Check, target: Target): Promise<string[]> {
  const end = performance.now() + (check.eventually === true ? patience : 0);
  while (true) {
    const mistakes = await judgeOnce(check, target);
    if (mistakes.length === 0 || performance.now() > end) return mistakes;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function judgeOnce(check: Check, target: Target): Promise<string[]> {
  const { servedBy, servedByOne, seenBy } = check.expect;
  const backends = Object.keys(seenBy ?? {}).map(Number);
  const before = await Promise.all(backends.map((port) => seen(target, port)));
  using connections = new DisposableStack();
  const caller = connections.use(createCaller(target));
  const more = Array.from({ length: (check.atOnce ?? 1) - 1 }, () =>
    connections.use(createCaller(target)),
  );
  const named = Object.values(servedBy ?? {}).reduce((sum, n) => sum + n, 0);
  const count = servedByOne ?? (named || 1);
  const mistakes: string[] = [];
  const counts: Record<string, number> = {};
  for (let i = 0; i < (check.after ?? 0); i++) await caller.call(check);
  for (let i = 0; i < count; i++) {
    for (const answer of await Promise.all([caller, ...more].map((one) => one.call(check)))) {
      const instance = String(answer.headers['x-served-by']);
      counts[instance] = (counts[instance] ?? 0) + 1;
      mistakes.push(...compare(check, answer, target));
    }
  }
  if (servedBy && !isDeepStrictEqual(counts, servedBy)) {
    mistakes.push(`served by: expected ${shown(servedBy)}, found ${shown(counts)}`);
  }
  if (servedByOne !== undefined && Object.keys(counts).length !== 1) {
    mistakes.push(`served by: expected one instance, found ${shown(counts)}`);
  }
  for (const [index, port] of backends.entries()) {
    const wanted = (before[index] ?? 0) + (seenBy?.[port] ?? 0);
    const found = await seenAtLast(target, port, wanted);
    if (found !== wanted) {
      mistakes.push(`requests of the backend at ${port}: expected ${wanted}, found ${found}`);
    }
  }
  return [...new Set(mistakes)];
}

function compare({ expect }: Check, { status, headers, text }: Answer, target: Target): string[] {
  const mistakes: string[] = [];
  const differ = (what: string, expected: unknown, found: unknown) =>
    mistakes.push(`${what}: expected ${shown(expected)}, found ${shown(found)}`);
  if (status !== expect.status) differ('status', expect.status, status);
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    if (value instanceof RegExp) {
      if (!value.test(String(headers[name]))) differ(name, String(value), headers[name]);
      continue;
    }
    const expected = value === null ? undefined : withPorts(value, target.ports);
    if (headers[name] !== expected) differ(name, expected, headers[name]);
  }
  if (typeof expect.body === 'string') {
    if (text !== expect.body) differ('body', expect.body, text);
  } else if (expect.body !== undefined && !holds(jsonOf(text), expect.body)) {
    differ('body', expect.body, jsonOf(text) ?? text);
  }
  return mistakes;
}

/** Whether `found` has everything that `expected` names; lists must have the same length. */
export function holds(found: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return Object.is(found, expected);
  if (typeof found !== 'object' || found === null) return false;
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) return false;
  }
  return Object.entries(expected).every(([name, value]) =>
    holds((found as Record<string, unknown>)[name], value),
  );
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function seen(target: Target, port: number): Promise<number> {
  const backend = { ...target, http: portOf(target, port) };
  const answer = await callOnce(backend, { request: 'GET /_requests' });
  return (jsonOf(answer.text) as { requests: number }).requests;
}

async function seenAtLast(target: Target, port: number, wanted: number): Promise<number> {
  const start = performance.now();
  while (true) {
    const found = await seen(target, port);
    if (found >= wanted || performance.now() - start > copyTimeout) return found;
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
