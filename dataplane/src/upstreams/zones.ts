export type Zoned = { weight: number; hintedZones: readonly string[] };

/** Who gets requests first, and who gets those that nobody of the first takes. */
export type ByZone<T> = { near: readonly T[]; far: readonly T[] };

/**
 * Splits endpoints by their zone hints as kube-proxy does (KEP-2433): those hinted for the zone come
 * first. Hints count only when every endpoint that gets requests has some, so that a half-written
 * EndpointSlice overloads nobody, and only when one is for this zone; else all are alike.
 *
 * @param zone of this data plane; "" when it is not known.
 */
export function byZone<T extends Zoned>(endpoints: readonly T[], zone: string): ByZone<T> {
  const usable = endpoints.filter(({ weight }) => weight > 0);
  const hinted = zone !== '' && usable.every(({ hintedZones }) => hintedZones.length > 0);
  const near = hinted ? usable.filter(({ hintedZones }) => hintedZones.includes(zone)) : [];
  if (near.length === 0) return { near: endpoints, far: [] };
  return { near, far: usable.filter(({ hintedZones }) => !hintedZones.includes(zone)) };
}
