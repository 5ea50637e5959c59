/**
 * What an attempt says of its endpoint. `error`: an answer with a 5xx status. `failure`: no answer, in
 * time or at all, or none that is HTTP. `none`: nothing, as when the client went.
 */
export type Outcome = 'ok' | 'error' | 'failure' | 'none';
