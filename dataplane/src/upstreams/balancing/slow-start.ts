/** How new endpoints get their share little by little. */
export type SlowStart = {
  /** Milliseconds; more than 0. */
  window: number;
  /** What the share begins with, from 0 to 1. */
  least: number;
};

type Starting = { weight: number; share: number; since: number };

/** How often in a window shares are brought up to date. */
const steps = 50;

/**
 * Sets the shares of endpoints as of `now`. Returns when they are to be set again; 0: they are final.
 */
export function setShares(
  endpoints: readonly Starting[],
  slowStart: SlowStart | undefined,
  now: number,
): number {
  let ramps = false;
  for (const endpoint of endpoints) {
    endpoint.share = endpoint.weight;
    if (!slowStart) continue;
    const age = (now - endpoint.since) / slowStart.window;
    if (age >= 1) continue;
    ramps = true;
    endpoint.share = endpoint.weight * Math.max(age, slowStart.least);
  }
  return ramps && slowStart ? now + slowStart.window / steps : 0;
}
