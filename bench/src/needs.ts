import { findVersion } from './execute.ts';
import { missingRedis } from './redis.ts';
import type { Scenario } from './scenario.ts';

export function h2loadVersion(): Promise<string | undefined> {
  return findVersion('h2load', ['--version'], /nghttp2\/(\S+)/);
}

/** What a scenario takes that not all do, as one sentence; undefined when it is there. */
export async function findMissing({ load, redis }: Scenario): Promise<string | undefined> {
  if (load.downstream === 'http2' && (await h2loadVersion()) === undefined)
    return 'h2load is not installed; install the Debian package nghttp2-client';
  if (
    load.downstream === 'tls' &&
    (await findVersion('openssl', ['version'], /OpenSSL (\S+)/)) === undefined
  )
    return 'openssl is not installed; install the Debian package openssl';
  return redis ? missingRedis() : undefined;
}
