import type { ServerHttp2Session } from 'node:http2';

/** Milliseconds. A silent peer is noticed after at most the sum of the first two. */
export interface KeepAlive {
  interval: number;
  timeout: number;
  /** How long a peer may stay without a good token. */
  stranger: number;
}

export const defaultKeepAlive: KeepAlive = { interval: 10_000, timeout: 5_000, stranger: 10_000 };

/** Pings a peer and cuts it when it does not answer, or does not become known in time. */
export function watchSession(
  session: ServerHttp2Session,
  { interval, timeout, stranger }: KeepAlive,
): { known(): void } {
  let late: NodeJS.Timeout | undefined;
  const unknown = setTimeout(() => session.destroy(), stranger);
  const pings = setInterval(() => {
    if (session.destroyed || late !== undefined) return;
    late = setTimeout(() => session.destroy(), timeout);
    session.ping(() => {
      clearTimeout(late);
      late = undefined;
    });
  }, interval);
  session.once('close', () => {
    clearTimeout(unknown);
    clearInterval(pings);
    clearTimeout(late);
  });
  return { known: () => clearTimeout(unknown) };
}
