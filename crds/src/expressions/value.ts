/** Evaluation failed. Operators hand it on, && and || may absorb it. */
export class Fault {
  readonly reason: string;
  /** Offset in the text; -1 until the call that failed adds its own. */
  readonly at: number;

  constructor(reason: string, at = -1) {
    this.reason = reason;
    this.at = at;
  }
}

/** CEL's uint. A class, as bigint is int. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A range of addresses: 4 numbers of 8 bits, or 8 of 16. */
export class Cidr {
  readonly groups: readonly number[];
  readonly length: number;

  constructor(groups: readonly number[], length: number) {
    this.groups = groups;
    this.length = length;
  }
}

/** A map that a literal makes, by `mapKey`. The maps of claims are plain objects. */
export type LiteralMap = ReadonlyMap<MapKey, { readonly key: Value; readonly value: Value }>;
export type MapKey = string | boolean | bigint;
export type JsonMap = { readonly [key: string]: Value | undefined };
export type MapValue = LiteralMap | JsonMap;

/** A CEL value: int is bigint, double is number. What JSON.parse gives is one as it stands. */
export type Value =
  | null
  | boolean
  | bigint
  | Uint
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | LiteralMap
  | JsonMap
  | Cidr;

export type Result = Value | Fault;

/** TypeScript's types of CEL's types. */
export type ValueOf = {
  null: null;
  bool: boolean;
  int: bigint;
  uint: Uint;
  double: number;
  string: string;
  bytes: Uint8Array;
  list: readonly Value[];
  map: MapValue;
  cidr: Cidr;
  dyn: Value;
};
export type ValueKind = keyof ValueOf;

export function kindOf(value: Value): Exclude<ValueKind, 'dyn'> {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'double';
    case 'bigint':
      return 'int';
    default:
  }
  if (value === null) return 'null';
  if (isList(value)) return 'list';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  return value instanceof Cidr ? 'cidr' : 'map';
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is MapValue {
  return typeof value === 'object' && kindOf(value) === 'map';
}
