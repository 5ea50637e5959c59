import type { Exchange } from './exchange.ts';

/** What a trusted proxy in front asks for by headers. */
export type Overrides = {
  /** Milliseconds for the whole request. */
  timeout: number | undefined;
  /** Milliseconds for the head of the response of each try. */
  tryTimeout: number | undefined;
  retries: number | undefined;
};

/** Also sent to upstreams, with what is left. */
export const timeoutField = 'x-gatehouse-timeout-ms';
export const tryTimeoutField = 'x-gatehouse-try-timeout-ms';
export const retriesField = 'x-gatehouse-retries';

const mostRetries = 10;

/** Undefined unless the peer is trusted. What makes no sense is ignored. */
export function overridesOf({ client, head }: Exchange): Overrides | undefined {
  if (!client.trusted) return undefined;
  const number = (name: string, least: number) => {
    const value = head.header(name);
    if (value === undefined || !/^\d{1,9}$/.test(value)) return undefined;
    return Number(value) >= least ? Number(value) : undefined;
  };
  const retries = number(retriesField, 0);
  return {
    timeout: number(timeoutField, 1),
    tryTimeout: number(tryTimeoutField, 1),
    retries: retries === undefined ? undefined : Math.min(retries, mostRetries),
  };
}
