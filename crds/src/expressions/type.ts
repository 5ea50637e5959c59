import type { Evaluate, Frame } from './frame.ts';
import type { ValueKind } from './value.ts';

type Simple = Exclude<ValueKind, 'list' | 'map'>;

/**
 * What is known of a value before it is there. `json` is what claims hold: like dyn, but its numbers are
 * double. Objects and lookups are no values: only their fields and entries are.
 */
export type Type =
  | { readonly kind: Simple | 'json' }
  | { readonly kind: 'list'; readonly element: Type }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }
  | { readonly kind: 'object'; readonly name: string; readonly fields: ReadonlyMap<string, Field> }
  | {
      readonly kind: 'lookup';
      readonly name: string;
      readonly read: Read;
      /** Whether its keys are in lower case. */
      readonly lowerCase: boolean;
    };

export type ObjectType = Extract<Type, { kind: 'object' }>;
export type LookupType = Extract<Type, { kind: 'lookup' }>;

export type Field = {
  readonly type: Type;
  readonly evaluate: Evaluate;
  readonly ofRequest: boolean;
};
/** One entry; undefined when it is not there. */
export type Read = (frame: Frame, key: string) => string | undefined;

export const types = {
  null: { kind: 'null' },
  bool: { kind: 'bool' },
  int: { kind: 'int' },
  uint: { kind: 'uint' },
  double: { kind: 'double' },
  string: { kind: 'string' },
  bytes: { kind: 'bytes' },
  cidr: { kind: 'cidr' },
  dyn: { kind: 'dyn' },
  json: { kind: 'json' },
} as const satisfies Record<string, Type>;

export const list = (element: Type): Type => ({ kind: 'list', element });
export const map = (key: Type, value: Type): Type => ({ kind: 'map', key, value });

export function typeText(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.element)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'object':
    case 'lookup':
      return type.name;
    case 'json':
      return 'dyn';
    default:
      return type.kind;
  }
}

/** Whether a value of the type may be what is wanted; whether it is may have to be seen at run time. */
export function mayBe(type: Type, wanted: ValueKind): boolean {
  if (wanted === 'dyn' || type.kind === 'dyn' || type.kind === wanted) return true;
  return type.kind === 'json' && jsonKinds.has(wanted);
}

const jsonKinds: ReadonlySet<string> = new Set(['null', 'bool', 'double', 'string', 'list', 'map']);

function isJson(type: Type): boolean {
  if (type.kind === 'list') return isJson(type.element);
  if (type.kind === 'map') return type.key.kind === 'string' && isJson(type.value);
  return type.kind === 'json' || jsonKinds.has(type.kind);
}

/** The type of a value that is one or the other; undefined when they have nothing in common. */
export function join(a: Type, b: Type): Type | undefined {
  if (a.kind === 'dyn' || b.kind === 'dyn') return types.dyn;
  if (a.kind === 'json' || b.kind === 'json')
    return isJson(a) && isJson(b) ? types.json : types.dyn;
  if (a.kind === 'list' && b.kind === 'list') {
    const element = join(a.element, b.element);
    return element && list(element);
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = join(a.key, b.key);
    const value = join(a.value, b.value);
    return key && value && map(key, value);
  }
  return a.kind === b.kind ? a : undefined;
}

/** The type of what is in a list or map literal, which may hold values of several types. */
export function joinAll(all: readonly Type[]): Type {
  const [first = types.dyn, ...rest] = all;
  return rest.reduce((joined, type) => join(joined, type) ?? types.dyn, first);
}

const numbers: ReadonlySet<string> = new Set(['int', 'uint', 'double']);

/** Whether nothing but the value itself will say what it is. */
export function isAny({ kind }: Type): boolean {
  return kind === 'dyn' || kind === 'json';
}

export function isNumber(type: Type): boolean {
  return numbers.has(type.kind);
}

/** Whether values of the two can be equal. Numbers of all types are compared by their value. */
export function mayEqual(a: Type, b: Type): boolean {
  if (a.kind === 'dyn' || b.kind === 'dyn') return true;
  if (isNumber(a) && isNumber(b)) return true;
  if (a.kind === 'json') return isNumber(b) || jsonKinds.has(b.kind) || b.kind === 'json';
  if (b.kind === 'json') return mayEqual(b, a);
  if (a.kind === 'list' && b.kind === 'list') return mayEqual(a.element, b.element);
  if (a.kind === 'map' && b.kind === 'map') {
    return mayEqual(a.key, b.key) && mayEqual(a.value, b.value);
  }
  return a.kind === b.kind && a.kind !== 'cidr';
}
