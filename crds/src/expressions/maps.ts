import { Fault, type LiteralMap, type MapKey, type MapValue, Uint, type Value } from './value.ts';

const noKey = new Fault('a double, list, map or null is no key');

export function isLiteralMap(map: MapValue): map is LiteralMap {
  return map instanceof Map;
}

/** Numbers that are equal are the same key, whatever their type (CEL language definition, "Numbers"). */
export function mapKey(key: Value): MapKey | Fault {
  switch (typeof key) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return key;
    case 'number':
      return Number.isInteger(key) ? BigInt(key) : noKey;
    default:
      return key instanceof Uint ? key.value : noKey;
  }
}

/** @returns undefined when the key is not there. */
export function lookUp(map: MapValue, key: Value): Value | undefined {
  if (isLiteralMap(map)) {
    const found = mapKey(key);
    return found instanceof Fault ? undefined : map.get(found)?.value;
  }
  return typeof key === 'string' && Object.hasOwn(map, key) ? map[key] : undefined;
}

export function mapSize(map: MapValue): number {
  return isLiteralMap(map) ? map.size : Object.keys(map).length;
}

export function mapKeys(map: MapValue): readonly Value[] {
  return isLiteralMap(map) ? Array.from(map.values(), ({ key }) => key) : Object.keys(map);
}
