import { hash } from 'node:crypto';
import type { Cluster } from 'ioredis';
import { script } from './script.ts';
import type { RedisSettings } from './settings.ts';

/** A connection that is made anew whenever it is lost. */
export type RedisClient = {
  /** Whether questions can be sent now; nothing is ever kept for later. */
  readonly ready: boolean;
  /** Runs the script. Keys of one call share a hash tag. */
  run(keys: readonly string[], values: readonly (string | number)[]): Promise<unknown>;
  close(): void;
};

export type ClientEvents = {
  ready(): void;
  /** It is not ready any more, or an attempt has failed. */
  lost(error: unknown): void;
};

/** Milliseconds. */
const connectTimeout = 2000;
/** After so long without any answer the connection is made anew: its other end may be gone, or replaced. */
const silence = 2000;
const slotsRefresh = { interval: 15_000, timeout: 2000 };
const sha = hash('sha1', script);

/** Milliseconds before the next attempt; data planes that lost it together do not come back together. */
export function attemptDelay(attempt: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

export async function connectRedis(
  settings: RedisSettings,
  events: ClientEvents,
): Promise<RedisClient> {
  // Loaded only here: who does not count in Redis does not pay for its client.
  const ioredis = await import('ioredis');
  let fault: unknown;
  const client =
    settings.mode === 'Cluster'
      ? new ioredis.Cluster([...settings.addresses], {
          redisOptions: { ...commonOptions(settings), lazyConnect: false },
          enableOfflineQueue: false,
          enableReadyCheck: false,
          clusterRetryStrategy: attemptDelay,
          maxRedirections: 3,
          // A failure is told at once: whoever waits has little time.
          retryDelayOnFailover: 0,
          retryDelayOnClusterDown: 0,
          slotsRefreshInterval: slotsRefresh.interval,
          slotsRefreshTimeout: slotsRefresh.timeout,
        })
      : new ioredis.Redis({
          ...commonOptions(settings),
          ...placeOf(settings),
          enableOfflineQueue: false,
          retryStrategy: attemptDelay,
          // With a master that has changed the connection is made to the new one.
          reconnectOnError(error: Error) {
            if (!error.message.includes('READONLY')) return false;
            fault = error;
            return true;
          },
        });
  client.on('error', (error: unknown) => {
    fault = error;
    events.lost(error);
  });
  if (client.isCluster) {
    (client as Cluster).on('node error', (error: unknown) => {
      fault = error;
    });
  }
  client.on('close', () => events.lost(fault ?? new Error('Connection is closed')));
  client.on('ready', () => {
    fault = undefined;
    events.ready();
  });
  return {
    get ready() {
      return client.status === 'ready';
    },
    async run(keys, values) {
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...values);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
        return client.eval(script, keys.length, ...keys, ...values);
      }
    },
    close: () => client.disconnect(),
  };
}

function commonOptions({ username, password, tls }: RedisSettings) {
  return {
    // What every Redis and every proxy before one speaks.
    protocol: 2 as const,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    disableClientInfo: true,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout,
    socketTimeout: silence,
  };
}

function placeOf(settings: RedisSettings) {
  const { mode, addresses, master, sentinelPassword, tls } = settings;
  if (mode !== 'Sentinel') return { ...addresses[0] };
  return {
    sentinels: [...addresses],
    name: master,
    sentinelRetryStrategy: attemptDelay,
    sentinelCommandTimeout: connectTimeout,
    ...(sentinelPassword === '' ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { sentinelTLS: tlsOptions(tls), enableTLSForSentinelMode: true }),
  };
}

function tlsOptions({ ca, serverName }: NonNullable<RedisSettings['tls']>) {
  return {
    ...(ca === '' ? {} : { ca }),
    ...(serverName === '' ? {} : { servername: serverName }),
  };
}
