/**
 * What an attempt says of its endpoint. `error`: an answer with a 5xx status; `gateway error`: with 502,
 * 503 or 504. `failure`: no answer, in time or at all, or none that is HTTP. `none`: nothing, as when the
 * client went.
 */
export type Outcome = 'ok' | 'error' | 'gateway error' | 'failure' | 'none';

export function outcomeOf(status: number): Outcome {
  if (status < 500) return 'ok';
  return status >= 502 && status <= 504 ? 'gateway error' : 'error';
}
