/** What happens to an endpoint. */
export const troubles = [
  'killed',
  'hung',
  'reset',
  'slow',
  'error',
  'garbage',
  'restarted',
] as const;
export type Trouble = (typeof troubles)[number];

/** What an endpoint does at the moment. */
export type Mode = 'well' | Trouble;

/** Milliseconds that a slow endpoint takes. */
export const slowness = 5000;
