import type { RedisSettings } from './settings.ts';

/**
 * What is wrong with a Redis, in words that go on from its name, and what to do. The texts of errors are
 * never passed on: an answer to AUTH may quote the password.
 */
export function faultOf(error: unknown, settings: RedisSettings): string {
  const text = textsOf(error).join(' ');
  const known = answers.find(([pattern]) => pattern.test(text));
  if (known) return known[1](settings);
  const code = codeOf(error) ?? /\b[A-Z]{4,}\b/.exec(text)?.[0] ?? 'without a code';
  return `answers with an error (${code})`;
}

type Sentence = (settings: RedisSettings) => string;
const noAnswer: Sentence = ({ timeout }) => `does not answer within ${timeout} ms`;
const nonsense = 'answers what no Redis would: check the address';
const always = (text: string) => () => text;

const notTrusted = (code: string) =>
  always(`has a certificate that is not trusted (${code}): check tls.caSecretRef and its dates`);

/** The first that fits counts. An error inside of the script has its code in the middle of the text. */
const answers: [RegExp, Sentence][] = [
  [
    /sentinels are unreachable.*(NOAUTH|WRONGPASS)/,
    always(
      'cannot be found: its sentinels ask for another password: check sentinelPasswordSecretRef',
    ),
  ],
  [
    /sentinels are unreachable/,
    ({ master }) => `cannot be found: no sentinel answers, or none knows the master "${master}"`,
  ],
  [
    /\bWRONGPASS\b|invalid password|invalid username/i,
    always('refuses user and password: check username and the Secret of passwordSecretRef'),
  ],
  [
    /\bNOAUTH\b/,
    ({ password }) =>
      password === ''
        ? 'asks for a password: give passwordSecretRef'
        : 'did not accept the password: check the Secret of passwordSecretRef',
  ],
  [
    /\bNOPERM\b|user executing the script can't/,
    always(
      'does not let this user run the script: allow +eval +evalsha +time +get +set and its keys',
    ),
  ],
  [
    /\bREADONLY\b/,
    always('is a read-only replica: name its master, or use mode Sentinel or Cluster'),
  ],
  [
    /\b(MOVED|ASK|CROSSSLOT)\b/,
    ({ mode }) =>
      mode === 'Cluster' ? 'moves its slots just now' : 'is part of a cluster: set mode: Cluster',
  ],
  [/cluster support disabled/, always('is no cluster: set mode: Single')],
  [/\bCLUSTERDOWN\b/, always('says that its cluster is down')],
  [/\bLOADING\b/, always('loads its data')],
  [/\bMASTERDOWN\b/, always('has lost its master')],
  [/\bBUSY\b/, always('is busy with a script of somebody else')],
  [/\bOOM\b/, always('has no memory left: raise its maxmemory, or let it evict')],
  [/\bMISCONF\b/, always('refuses writes because it cannot save to its disk')],
  [/\bNOREPLICAS\b/, always('refuses writes because it has too few replicas')],
  [/\bWRONGTYPE\b/, always('has other data under our keys: set another keyPrefix')],
  [/max number of clients/, always('has no connection left: raise its maxclients')],
  [/unknown command/i, always('lacks a command: it must be Redis 5 or newer, with EVAL and AUTH')],
  [/Protocol error|Unknown RESP|Cannot parse|Please report this/i, always(nonsense)],
  [/Socket timeout|no answer in time/, noAnswer],
  [/connect ETIMEDOUT|\bETIMEDOUT\b/, always('cannot be reached: it does not answer')],
  [/\b(ENOTFOUND|EAI_AGAIN)\b/, always('cannot be found by its name')],
  [
    /\bERR_TLS_CERT_ALTNAME_INVALID\b/,
    always('has a certificate for another name: check tls.serverName'),
  ],
  [/\bCERT_HAS_EXPIRED\b/, notTrusted('it has expired')],
  [/\b(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)\b/, notTrusted('self-signed')],
  [/\bUNABLE_TO_\w+\b/, notTrusted('its issuer is not known')],
  [/\b(EPROTO|ERR_SSL_\w+)\b/, always('does not speak TLS there')],
  [/\b(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE)\b/, always('cannot be reached')],
  [
    /max retries per request/,
    always('closes the connection: it may have ended, or speak TLS only'),
  ],
  [
    /Connection is closed|isn't writeable|isn't ready|startup nodes|Failed to refresh slots/,
    always('cannot be reached'),
  ],
];

/** Messages and codes of an error and of what it was made of. */
function textsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { lastNodeError, cause } = error as { lastNodeError?: unknown; cause?: unknown };
  const parts = error instanceof AggregateError ? error.errors : [];
  return [...[lastNodeError, cause, ...parts].flatMap(textsOf), codeOf(error) ?? '', error.message];
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
