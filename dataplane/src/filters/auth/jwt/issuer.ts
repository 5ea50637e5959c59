import { createSecretKey } from 'node:crypto';
import {
  algorithmTraits,
  defaults,
  hmacAlgorithmsFor,
  type JwtAlgorithm,
  type JwtIssuer,
  type KeySet,
  parseDuration,
  readKeySet,
  type VerificationKey,
} from '@gatehouse/crds';
import { policySecretName } from '@gatehouse/snapshot';
import { LinkFault } from '../../filter.ts';
import type { MethodContext } from '../method.ts';
import type { CheckClaims } from './claims.ts';
import type { RemoteKeys } from './remote-keys.ts';
import type { KeySource } from './verified-tokens.ts';

/** Who signs tokens, ready for use. */
export type Issuer = {
  /** What the claim iss must be; undefined: anything. */
  name: string | undefined;
  source: KeySource;
  /** Undefined: the keys are part of the snapshot. */
  remote: { keys: RemoteKeys; timeout: number } | undefined;
  /** Whether any key counts for any kid: a secret has no kid. */
  anyKid: boolean;
  accepts(alg: JwtAlgorithm): boolean;
  check: CheckClaims;
};

type Keys = Pick<Issuer, 'source' | 'remote' | 'anyKid'>;

/** Milliseconds: the controller refuses more and less, see its check of JWT methods. */
const bounds = { refresh: 10_000, timeout: 60_000 };

/** @param path of the issuer, e.g. "issuers[0]". @throws LinkFault */
export function linkIssuer(
  config: JwtIssuer,
  path: string,
  check: CheckClaims,
  context: MethodContext,
): Issuer {
  const accepted = new Set<JwtAlgorithm>(config.algorithms ?? allAlgorithms);
  const accepts = (alg: JwtAlgorithm) => accepted.has(alg);
  return { name: config.issuer, ...keysOf(config, path, context), accepts, check };
}

const allAlgorithms = Object.keys(algorithmTraits) as JwtAlgorithm[];

function keysOf(config: JwtIssuer, path: string, context: MethodContext): Keys {
  const { jwks, inline, secretRef } = config;
  if (jwks) return remoteKeys(jwks, `${path}.jwks`, context);
  if (inline !== undefined) {
    const keys = readKeySet(inline);
    const [fault] = keys.faults;
    if (fault) throw new LinkFault(`${path}.inline`, `${fault.path} ${fault.reason}`.trimStart());
    return { source: { keys }, remote: undefined, anyKid: false };
  }
  if (secretRef) return secretKey(secretRef, config.algorithms, `${path}.secretRef`, context);
  throw new LinkFault(path, 'has no keys this release knows');
}

function secretKey(
  { name, key: entry = 'secret' }: NonNullable<JwtIssuer['secretRef']>,
  wanted: readonly JwtAlgorithm[] | undefined,
  path: string,
  { secret, namespace }: MethodContext,
): Keys {
  const bytes = secret(policySecretName(namespace, name, entry))?.[entry];
  if (!bytes) throw new LinkFault(path, `the Secret "${namespace}/${name}" has no "${entry}"`);
  const algorithms = hmacAlgorithmsFor(bytes.length);
  const short = (wanted ?? ['HS256']).find((alg) => !algorithms.includes(alg));
  if (short !== undefined) {
    throw new LinkFault(path, `${bytes.length} bytes are too short for ${short}`);
  }
  const key: VerificationKey = { kid: '', algorithms, key: createSecretKey(bytes) };
  const keys: KeySet = { keys: [key], byKid: new Map(), faults: [] };
  return { source: { keys }, remote: undefined, anyKid: true };
}

function remoteKeys(
  jwks: NonNullable<JwtIssuer['jwks']>,
  path: string,
  { thread, resource, path: method, whileInForce }: MethodContext,
): Keys {
  if (!URL.canParse(jwks.url)) throw new LinkFault(`${path}.url`, 'is not a URL');
  const refresh = Math.max(bounds.refresh, parseDuration(jwks.refresh ?? defaults.jwksRefresh));
  const timeout = Math.min(bounds.timeout, parseDuration(jwks.timeout ?? defaults.jwksTimeout));
  const keys = thread.keySources.at(jwks.url, timeout);
  const at = `${method}.${path}.url`;
  const source = `${resource} ${at}`;
  whileInForce(source, () =>
    keys.watch({
      refresh,
      timeout,
      tell(fault) {
        const reason = `Cannot fetch the key set: ${fault}; its tokens are answered by 500 until data planes can fetch it: check the URL and the network between`;
        thread.health.set(
          source,
          fault === undefined ? undefined : { policy: resource, path: at, reason },
        );
      },
    }),
  );
  return { source: keys, remote: { keys, timeout }, anyKid: false };
}
