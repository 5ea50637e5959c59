import type { Terms } from '../scenario.ts';
import { keysOf } from './keys.ts';

const types = 'type.googleapis.com/envoy.extensions';

/** Each worker keeps this many verified tokens; 100 is Envoy's default, several times what `repeated` loads have. */
const cachedTokens = 100;

const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } };

/** Signature and exp. Reading the one header that has the token saves Envoy from parsing the query for another. */
function jwtAuthn(terms: Terms): object {
  const provider = {
    local_jwks: { inline_string: keysOf(terms).jwks },
    from_headers: [{ name: 'Authorization', value_prefix: 'Bearer ' }],
    forward: true,
    jwt_cache_config: { jwt_cache_size: cachedTokens },
  };
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': `${types}.filters.http.jwt_authn.v3.JwtAuthentication`,
      providers: { bench: provider },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }],
    },
  };
}

/** One bucket for all clients, which is less work than one a client. */
function localRateLimit({ limit }: Terms): object {
  return {
    name: 'envoy.filters.http.local_ratelimit',
    typed_config: {
      '@type': `${types}.filters.http.local_ratelimit.v3.LocalRateLimit`,
      stat_prefix: 'limit',
      token_bucket: { max_tokens: limit, tokens_per_fill: limit, fill_interval: '60s' },
      filter_enabled: always,
      filter_enforced: always,
    },
  };
}

/** Its default format, buffered and written by a thread of its own. */
const accessLog = {
  name: 'envoy.access_loggers.stdout',
  typed_config: { '@type': `${types}.access_loggers.stream.v3.StdoutAccessLog` },
};

export function envoyJwt(terms: Terms): string {
  return JSON.stringify({ http_filters: [jwtAuthn(terms)] });
}

export function envoyLimit(terms: Terms): string {
  return JSON.stringify({ http_filters: [localRateLimit(terms)] });
}

export function envoyPolicies(terms: Terms): string {
  return JSON.stringify({
    http_filters: [jwtAuthn(terms), localRateLimit(terms)],
    access_log: [accessLog],
  });
}
