/** Values by a prefix of whole segments, without a trailing slash: '' is the root. */
export type PrefixMap<V> = {
  readonly byPrefix: Map<string, V>;
  /** Distinct lengths of the keys, longest first: only there is a path cut, hashed and looked up. */
  readonly lengths: number[];
};

export function createPrefixMap<V>(): PrefixMap<V> {
  return { byPrefix: new Map(), lengths: [] };
}

export function getOrAdd<V>(map: PrefixMap<V>, prefix: string, make: () => V): V {
  let value = map.byPrefix.get(prefix);
  if (value === undefined) {
    value = make();
    map.byPrefix.set(prefix, value);
    if (!map.lengths.includes(prefix.length)) {
      map.lengths.push(prefix.length);
      map.lengths.sort((a, b) => b - a);
    }
  }
  return value;
}

/** The value whose key is the part of the path before `end`, which has to be the end of a segment. */
export function valueAt<V>(map: PrefixMap<V>, path: string, end: number): V | undefined {
  return map.lengths.includes(end) ? map.byPrefix.get(path.slice(0, end)) : undefined;
}

/** The value whose key is the `length` characters before a "/" of the path. */
export function valueBeforeSlash<V>(
  map: PrefixMap<V>,
  path: string,
  length: number,
): V | undefined {
  return path.charCodeAt(length) === 47 ? map.byPrefix.get(path.slice(0, length)) : undefined;
}
