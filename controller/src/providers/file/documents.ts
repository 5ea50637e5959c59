import {
  type AnyObject,
  isKind,
  type Path,
  pathText,
  unsoundPolicy,
  validateObject,
} from '@gatehouse/crds';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { type ObjectKey, objectKey } from '../../store/key.ts';
import { foreignProblem } from './foreign.ts';
import { type FileProblem, reasonOf, wholeFile } from './problem.ts';
import { mostExpansions, offsetOf, placeOf, syntaxProblems, tooDeep } from './syntax.ts';

/** One object of a file, or what stands where an object was expected. */
export type FileDocument = {
  file: string;
  line: number;
  col: number;
  /** Left out when the mistakes hide which object it is. */
  key?: ObjectKey;
  /** Left out when there are problems. */
  object?: AnyObject;
  /** Stands for a policy that has problems, so that what it protects is closed. */
  closed?: AnyObject;
  problems: FileProblem[];
};

/** Reads every object of a YAML or JSON text. Never throws; what is not for Gatehouse is left out. */
export function parseDocuments(file: string, text: string): FileDocument[] {
  const lines = new LineCounter();
  let documents: Document.Parsed[];
  try {
    documents = [...parseAllDocuments(text, parsing(lines))];
  } catch (error) {
    const reason = error instanceof RangeError ? tooDeep : reasonOf(error);
    return [{ file, line: 1, col: 1, problems: [wholeFile(file, reason)] }];
  }
  return documents.flatMap((document) => readDocument(file, lines, document));
}

function parsing(lineCounter: LineCounter) {
  return {
    lineCounter,
    merge: true,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  } as const;
}

function readDocument(file: string, lines: LineCounter, document: Document.Parsed): FileDocument[] {
  const start = placeOf(lines, offsetOf(document, []));
  const broken = (problems: FileProblem[]): FileDocument[] => [{ file, ...start, problems }];
  let value: unknown;
  try {
    const syntax = syntaxProblems(document);
    if (syntax.length > 0) {
      return broken(
        syntax.map(({ offset, ...rest }) => ({ file, ...placeOf(lines, offset), ...rest })),
      );
    }
    value = document.toJS({ maxAliasCount: mostExpansions });
  } catch (error) {
    const message =
      error instanceof ReferenceError
        ? `an alias is expanded more than ${mostExpansions} times; write the values out`
        : error instanceof RangeError
          ? tooDeep
          : reasonOf(error);
    return broken([{ file, ...start, path: '', message }]);
  }
  if (value === null || value === undefined) return [];
  return objectsOf(value).flatMap(({ item, prefix }) => {
    const place = placeOf(lines, offsetOf(document, prefix));
    const read = readObject(item);
    if (read === undefined) return [];
    const problems = read.problems.map(({ path, message }) => {
      const full = [...prefix, ...path];
      return { file, ...placeOf(lines, offsetOf(document, full)), path: pathText(full), message };
    });
    return [{ ...read, file, ...place, problems }];
  });
}

/** `kubectl get -o yaml` wraps objects in a List. */
function objectsOf(value: unknown): { item: unknown; prefix: Path }[] {
  const list = fieldsOf(value);
  if (list.apiVersion === 'v1' && list.kind === 'List' && Array.isArray(list.items)) {
    return list.items.map((item, index) => ({ item, prefix: ['items', index] }));
  }
  return [{ item: value, prefix: [] }];
}

type Read = Pick<FileDocument, 'key' | 'object' | 'closed'> & {
  problems: { path: Path; message: string }[];
};

/** Undefined when the object is not for Gatehouse. */
function readObject(value: unknown): Read | undefined {
  const { apiVersion, kind } = fieldsOf(value);
  if (typeof kind === 'string' && !isKind(kind)) {
    const problem = foreignProblem(apiVersion, kind);
    return problem && { problems: [problem] };
  }
  const validated = validateObject(value);
  const key = identify(value);
  const identity = key === undefined ? {} : { key };
  if ('object' in validated) return { ...identity, object: validated.object, problems: [] };
  const closed = unsoundPolicy(value, validated.problems);
  return { ...identity, ...(closed ? { closed } : {}), problems: validated.problems };
}

/** Which object this is meant to be, as far as can be told from one that may have mistakes. */
function identify(value: unknown): ObjectKey | undefined {
  const { kind, metadata } = fieldsOf(value);
  const { name, namespace } = fieldsOf(metadata);
  if (!isKind(kind) || typeof name !== 'string') return undefined;
  if (namespace === undefined || namespace === null) return objectKey(kind, undefined, name);
  return typeof namespace === 'string' ? objectKey(kind, namespace, name) : undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
