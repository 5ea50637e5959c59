import type { Terms } from '../scenario.ts';
import { keysOf } from './keys.ts';

/**
 * The recipe of HAProxy's manual (jwt_verify, date), with the algorithm as a constant: that refuses others as well, and
 * saves it from reading the token's header.
 */
function jwt(terms: Terms): string[] {
  return [
    '  http-request set-var(txn.bearer) http_auth_bearer',
    `  http-request deny unless { var(txn.bearer),jwt_verify("RS256","${keysOf(terms).publicKeyFile}") 1 }`,
    "  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')",
    '  http-request set-var(txn.now) date()',
    '  http-request deny unless { var(txn.exp),sub(txn.now) -m int gt 0 }',
  ];
}

function limit({ limit }: Terms): string[] {
  return [
    '  stick-table type ip size 100k expire 60s store http_req_rate(60s)',
    '  http-request track-sc0 src',
    `  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${limit} }`,
  ];
}

/** Its usual format, a write a request: HAProxy has no buffer for logs that does not lose lines. */
const accessLog = ['  log stdout format raw local0', '  option httplog'];

export function haproxyJwt(terms: Terms): string {
  return jwt(terms).join('\n');
}

export function haproxyLimit(terms: Terms): string {
  return limit(terms).join('\n');
}

export function haproxyPolicies(terms: Terms): string {
  return [...accessLog, ...jwt(terms), ...limit(terms)].join('\n');
}
