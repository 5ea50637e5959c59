import {
  algorithmTraits,
  defaults,
  hmacAlgorithmsFor,
  type JwtAlgorithm,
  type JwtIssuer,
  type JwtMethod,
  readKeySet,
} from '@gatehouse/crds';
import { milliseconds } from '../../durations.ts';
import type { PolicyContext } from '../context.ts';

/** Milliseconds. Whoever asks for keys more often than every 10 s is taken for an attack by some issuers. */
const bounds = { skew: 600_000, refresh: 10_000, timeout: 60_000 };

/** Reports what makes a JWT method unusable, or less strict than it looks. */
export function checkJwt(config: JwtMethod, path: string, context: PolicyContext): void {
  checkNames(config.issuers, path, context);
  for (const [index, issuer] of config.issuers.entries()) {
    const at = `${path}.issuers[${index}]`;
    if (issuer.jwks) checkRemote(issuer.jwks, issuer.algorithms, at, context);
    if (issuer.inline !== undefined) checkInline(issuer.inline, issuer.algorithms, at, context);
    if (issuer.secretRef) checkSecret(issuer.secretRef, issuer.algorithms, at, context);
  }
  const skew = duration(config.clockSkew ?? defaults.clockSkew, `${path}.clockSkew`, context);
  if (skew > bounds.skew) {
    const reason = 'is more than 10m: tokens would count long after exp, or before nbf';
    context.report(`${path}.clockSkew`, reason);
  }
}

/** By the claim iss the keys are chosen, so among several issuers each needs one of its own. */
function checkNames(issuers: readonly JwtIssuer[], path: string, context: PolicyContext) {
  const first = new Map<string, number>();
  for (const [index, { issuer }] of issuers.entries()) {
    const at = `${path}.issuers[${index}].issuer`;
    if (issuer === undefined) {
      if (issuers.length === 1) continue;
      context.report(at, 'is missing: with several issuers the claim iss tells whose keys count');
      continue;
    }
    if (issuer.trim() === '') context.report(at, 'is blank: give what the claim iss holds');
    const before = first.get(issuer);
    if (before !== undefined) {
      context.report(at, `is that of issuers[${before}] too: put keys of one issuer into one set`);
    }
    first.set(issuer, before ?? index);
  }
}

function checkRemote(
  { url, refresh, timeout }: NonNullable<JwtIssuer['jwks']>,
  algorithms: readonly JwtAlgorithm[] | undefined,
  at: string,
  context: PolicyContext,
) {
  if (!URL.canParse(url)) context.report(`${at}.jwks.url`, `"${url}" is not a URL`);
  if (duration(refresh ?? defaults.jwksRefresh, `${at}.jwks.refresh`, context) < bounds.refresh) {
    context.report(`${at}.jwks.refresh`, 'is less than 10s: an unknown kid brings new keys sooner');
  }
  if (duration(timeout ?? defaults.jwksTimeout, `${at}.jwks.timeout`, context) > bounds.timeout) {
    context.report(`${at}.jwks.timeout`, 'is more than 60s: requests wait for it');
  }
  for (const [index, name] of (algorithms ?? []).entries()) {
    if (algorithmTraits[name].kty !== 'oct') continue;
    context.report(`${at}.algorithms[${index}]`, `${name} ${needsSecret}`);
  }
}

const needsSecret = 'needs a secret: use secretRef, or an algorithm of public keys';

function checkInline(
  text: string,
  algorithms: readonly JwtAlgorithm[] | undefined,
  at: string,
  context: PolicyContext,
) {
  const { keys, faults } = readKeySet(text);
  for (const { path, reason } of faults) {
    context.report(`${at}.inline`, path === '' ? reason : `${path} ${reason}`);
  }
  for (const [index, name] of (algorithms ?? []).entries()) {
    if (keys.length === 0 || keys.some((key) => key.algorithms.includes(name))) continue;
    const why = algorithmTraits[name].kty === 'oct' ? needsSecret : 'goes with no key of inline';
    context.report(`${at}.algorithms[${index}]`, `${name} ${why}`);
  }
}

function checkSecret(
  ref: NonNullable<JwtIssuer['secretRef']>,
  algorithms: readonly JwtAlgorithm[] | undefined,
  at: string,
  context: PolicyContext,
) {
  for (const [index, name] of (algorithms ?? []).entries()) {
    if (algorithmTraits[name].kty === 'oct') continue;
    const reason = `${name} needs a public key: use jwks or inline, or HS256, HS384 or HS512`;
    context.report(`${at}.algorithms[${index}]`, reason);
  }
  const secret = context.secretEntry(ref, 'secret', `${at}.secretRef`);
  if (!secret) return;
  const fitting = hmacAlgorithmsFor(secret.length);
  if (fitting.length === 0) {
    const reason = `the secret has ${secret.length} bytes: HS256 needs 32 at least, e.g. from "openssl rand -base64 48"`;
    context.report(`${at}.secretRef`, reason);
    return;
  }
  for (const [index, name] of (algorithms ?? []).entries()) {
    const { kty, hashBytes } = algorithmTraits[name];
    if (kty !== 'oct' || fitting.includes(name)) continue;
    const reason = `${name} needs a secret of ${hashBytes} bytes at least; that of secretRef has ${secret.length}`;
    context.report(`${at}.algorithms[${index}]`, reason);
  }
}

const duration = (text: string, path: string, context: PolicyContext) =>
  milliseconds(text, path, (at, reason) => context.report(at, reason));
