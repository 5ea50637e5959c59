/**
 * Values by a prefix of whole segments, without a trailing slash: '' is the root. Faster than a tree of
 * segments, which cuts and hashes each of them; here that is done once where a key is likely.
 */
export type PrefixMap<V> = {
  readonly byPrefix: Map<string, V>;
  /** Distinct lengths of the keys, longest first. */
  readonly lengths: number[];
  /** By length, one bit for each last character (modulo 32) of a key: most misses end here. */
  endings: Int32Array;
};

export function createPrefixMap<V>(): PrefixMap<V> {
  return { byPrefix: new Map(), lengths: [], endings: new Int32Array(0) };
}

export function getOrAdd<V>(map: PrefixMap<V>, prefix: string, make: () => V): V {
  const known = map.byPrefix.get(prefix);
  if (known !== undefined) return known;
  const { length } = prefix;
  if (length >= map.endings.length) {
    const endings = new Int32Array(length + 1);
    endings.set(map.endings);
    map.endings = endings;
  }
  const endings = map.endings[length] ?? 0;
  if (endings === 0) {
    map.lengths.push(length);
    map.lengths.sort((a, b) => b - a);
  }
  map.endings[length] = endings | endingOf(prefix, length);
  const value = make();
  map.byPrefix.set(prefix, value);
  return value;
}

/** The value whose key is the part of the path before `end`, which has to be the end of a segment. */
export function valueAt<V>(map: PrefixMap<V>, path: string, end: number): V | undefined {
  if (end >= map.endings.length) return undefined;
  if (((map.endings[end] ?? 0) & endingOf(path, end)) === 0) return undefined;
  return map.byPrefix.get(path.slice(0, end));
}

/** The value whose key is the part of the path before a "/" at `end`. */
export function valueBeforeSlash<V>(map: PrefixMap<V>, path: string, end: number): V | undefined {
  return path.charCodeAt(end) === 47 ? valueAt(map, path, end) : undefined;
}

function endingOf(path: string, end: number): number {
  return end === 0 ? 1 : 1 << (path.charCodeAt(end - 1) & 31);
}
