import type { Outbound, Place } from '../../outbound.ts';

/** @throws Error which says why there is no JSON object */
export async function fetchJson(
  outbound: Outbound,
  place: Place,
  timeout: number,
  mostBytes: number,
): Promise<Record<string, unknown>> {
  const { status, body } = await outbound.ask({
    ...place,
    method: 'GET',
    headers: { accept: 'application/json' },
    timeout,
    mostBytes,
  });
  if (status !== 200) throw new Error(`the answer of ${place.origin}${pathOf(place)} is ${status}`);
  const value = parsed(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`the answer of ${place.origin}${pathOf(place)} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Queries may hold secrets. */
function pathOf({ path }: Place): string {
  return path.split('?')[0] ?? '';
}
