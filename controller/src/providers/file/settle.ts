import { isDeepStrictEqual } from 'node:util';
import { type AnyObject, defaults, faultsOf } from '@gatehouse/crds';
import { keyOf, type ObjectKey } from '../../store/key.ts';
import type { FileDocument } from './documents.ts';
import { type FileProblem, wholeFile } from './problem.ts';
import type { Source } from './source.ts';

/** An object in use: as it was written, and as the store has it (namespace and generation filled in). */
export type HeldObject = { written: AnyObject; object: AnyObject; file: string };
export type Held = ReadonlyMap<ObjectKey, HeldObject>;

const stays = '(the last good version stays in use)';

/**
 * What is in use after the folder was read: the good objects, and the last good version of those that
 * have become invalid, until they are deleted. The first of two objects with one name wins.
 * @param sources in file order
 * @param unseen whether what a file held could not be looked at
 */
export function settle(
  held: Held,
  sources: readonly Source[],
  unseen: (file: string) => boolean,
): { held: Held; problems: FileProblem[] } {
  const next = new Map<ObjectKey, HeldObject>();
  const problems: FileProblem[] = [];
  const claims = new Map<ObjectKey, FileDocument>();
  // Files in which an object may be hidden behind a mistake.
  const doubtful = new Set<string>();

  function take(document: FileDocument): void {
    const { file, key, object, closed } = document;
    const last = key && held.get(key);
    const claim = key && claims.get(key);
    if (key) claims.set(key, claim ?? document);
    if (claim) problems.push(duplicate(document, claim), ...document.problems);
    else if (key && object) next.set(key, adopt(object, file, last));
    else if (key && closed && !(last && isGood(last.object))) {
      next.set(key, adopt(closed, file, last));
      problems.push(...document.problems.map(withClosed));
    } else if (key && last) {
      next.set(key, last);
      problems.push(...document.problems.map(withKept));
    } else {
      doubtful.add(file);
      problems.push(...document.problems);
    }
  }

  for (const { file, documents, problem } of sources) {
    for (const document of documents) take(document);
    if (!problem) continue;
    doubtful.add(file);
    problems.push(problem);
  }
  const hidden = new Map<string, ObjectKey[]>();
  for (const [key, last] of held) {
    const { file } = last;
    if (next.has(key) || claims.has(key) || !(doubtful.has(file) || unseen(file))) continue;
    next.set(key, last);
    hidden.set(file, [...(hidden.get(file) ?? []), key]);
  }
  for (const [file, keys] of hidden) problems.push(wholeFile(file, keptMessage(keys)));
  return { held: next, problems };
}

function keptMessage(keys: readonly ObjectKey[]): string {
  const [first = '', ...others] = keys.map(nameOf);
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  return `${first}${more} cannot be seen for the mistakes: the last good version stays in use`;
}

function withKept(problem: FileProblem): FileProblem {
  return { ...problem, message: `${problem.message} ${stays}` };
}

function isGood(object: AnyObject): boolean {
  return object.kind !== 'AuthPolicy' || faultsOf(object).length === 0;
}

function withClosed(problem: FileProblem): FileProblem {
  return { ...problem, message: `${problem.message} (its targets answer 500 until it is mended)` };
}

function duplicate(document: FileDocument, first: FileDocument): FileProblem {
  const { file, line, col, key } = document;
  const message =
    `${nameOf(key ?? '')} is defined twice: the one at ` +
    `${first.file}:${first.line}:${first.col} is used, this one is not; remove one`;
  return { file, line, col, path: 'metadata.name', message };
}

function nameOf(key: string): string {
  const [kind, namespace, name] = key.split('/');
  return `${kind} "${name}" in namespace "${namespace}"`;
}

/** Keeps the object that is in use when its content is the same; else counts its generation up. */
function adopt(written: AnyObject, file: string, last: HeldObject | undefined): HeldObject {
  if (last && (last.written === written || isDeepStrictEqual(last.written, written))) {
    return { written, object: last.object, file };
  }
  const { namespace = defaults.namespace } = written.metadata;
  const generation = (last?.object.metadata.generation ?? 0) + 1;
  const metadata = { ...written.metadata, namespace, generation };
  return { written, object: { ...written, metadata }, file };
}

/** The difference between two states, as the store takes it. */
export function changesBetween(
  before: Held,
  after: Held,
): { put: AnyObject[]; remove: ObjectKey[] } {
  const put: AnyObject[] = [];
  for (const { object } of after.values()) {
    if (before.get(keyOf(object))?.object !== object) put.push(object);
  }
  return { put, remove: [...before.keys()].filter((key) => !after.has(key)) };
}
