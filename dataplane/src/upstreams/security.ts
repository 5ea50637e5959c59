import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from 'node:tls';

/** How connections to the endpoints of an upstream are secured. */
export type Security = {
  /** What is asked for (SNI) and verified (RFC 9525). */
  serverName: string;
  /** Undefined: what it takes is missing, and nobody connects. */
  context: SecureContext | undefined;
  secrets: readonly UsedSecret[];
};

/** A Secret resource that a Security was made of. */
export type UsedSecret = {
  name: string;
  /** Entry with the certificates. */
  entry: 'ca.crt' | 'tls.crt';
  /** Undefined: it was not there. */
  hash: Uint8Array | undefined;
  /** Milliseconds since the epoch until which some of the authorities, or the certificate shown, are valid. */
  validTo: number;
};

/** Whether connections by the one may be used where the other is asked for. */
export function isAlike(one: Security | undefined, other: Security | undefined): boolean {
  return one?.serverName === other?.serverName;
}

/**
 * Options of `node:tls` for a connection.
 * @param protocol what is spoken on it (RFC 7301), e.g. "http/1.1".
 */
export function secureOptions(
  { serverName, context }: Security,
  protocol: string,
): ConnectionOptions {
  return {
    servername: serverName,
    // Without authorities of its own nobody trusts what this one shows.
    secureContext: context,
    ...(context ? {} : { ca: [] }),
    ALPNProtocols: [protocol],
    rejectUnauthorized: true,
  };
}

export type SecureTarget = { address: string; port: number };

/** Why endpoint and gateway did not come to terms. */
export type Insecurity = {
  /** For a label. */
  reason: string;
  /** For a log. */
  detail: string;
  /** It has been told not long ago. */
  known: boolean;
};

/** Milliseconds for which the same reason of the same endpoint is not news. */
const newsAfter = 60_000;

/** Opens the connections of a pool: each resumes the session of the one before (RFC 8446 section 2.2). */
export class SecureConnector {
  readonly #tell: (target: SecureTarget, failure: Insecurity | undefined) => void;
  #of: Security | undefined;
  #session: Buffer | undefined;
  /** What was told last; "" when the last handshake was in order. */
  #told = '';
  #toldAt = 0;

  /** @param tell of failures; undefined: the endpoint is in order again. */
  constructor(tell: (target: SecureTarget, failure: Insecurity | undefined) => void) {
    this.#tell = tell;
  }

  /**
   * 'secureConnect' follows once the endpoint is verified, else 'error'.
   * @param protocol what is spoken on it (RFC 7301), e.g. "http/1.1".
   */
  connect(target: SecureTarget, security: Security, protocol: string): TLSSocket {
    const { address, port } = target;
    const session = this.#of === security ? this.#session : undefined;
    const socket = connect({
      host: address,
      port,
      ...secureOptions(security, protocol),
      ...(session ? { session } : {}),
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on('session', (fresh) => {
      this.#of = security;
      this.#session = fresh;
    });
    let reached = false;
    socket.once('connect', () => {
      reached = true;
    });
    socket.once('secureConnect', () => {
      reached = false;
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (reached || isRefusal(error)) this.#failed(target, security, error);
    });
    // Not before it has said something: with TLS 1.3 it may refuse what we have shown after the handshake.
    socket.once('session', () => this.#restored(target));
    return socket;
  }

  #failed(target: SecureTarget, { context, secrets }: Security, error: NodeJS.ErrnoException) {
    const missing = secrets.filter(({ hash }) => !hash).map(({ name }) => `"${name}"`);
    const reason = context ? reasonOf(error) : 'secret';
    const detail = context
      ? textOf(error)
      : `what it takes is not there or not usable: ${missing.join(', ') || 'a Secret'}`;
    const at = Date.now();
    const known = this.#told === reason && at - this.#toldAt < newsAfter;
    if (!known) {
      this.#told = reason;
      this.#toldAt = at;
    }
    this.#tell(target, { reason, detail, known });
  }

  #restored(target: SecureTarget) {
    if (this.#told === '') return;
    this.#told = '';
    this.#tell(target, undefined);
  }
}

const clientCertificate = 'client_certificate';

/**
 * The endpoint does not take the certificate that it was shown, or none. With TLS 1.3 it says so when the
 * handshake is over for this side (RFC 8446 section 4.4.2.4).
 */
export function isRefusal(error: NodeJS.ErrnoException): boolean {
  return reasonOf(error) === clientCertificate;
}

/** An error of OpenSSL as a failed write tells it. */
const fromOpenSsl = /:SSL routines:[^:]*:([^:]+):/;

function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  const text = code === 'EPROTO' ? fromOpenSsl.exec(message)?.[1] : undefined;
  const known = text ? `ERR_SSL_${text.toUpperCase().replaceAll(' ', '_')}` : code;
  // Alerts as old as SSL 3 are "sslv3" or "ssl/tls", by the version of OpenSSL.
  return reasons.get(known.replace('SSL/TLS', 'SSLV3')) ?? 'handshake';
}

/** The part for people: no advice for who runs Node, no lines of OpenSSL. */
function textOf(error: Error): string {
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  return fromOpenSsl.exec(error.message)?.[1] ?? error.message.replace(/; if the root CA.*$/, '');
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'name'],
  ['CERT_HAS_EXPIRED', 'expired'],
  ['CERT_NOT_YET_VALID', 'not_yet_valid'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'authority'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'authority'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'authority'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'authority'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'authority'],
  ['CERT_UNTRUSTED', 'authority'],
  ['CERT_SIGNATURE_FAILURE', 'authority'],
  ['INVALID_CA', 'authority'],
  ['INVALID_PURPOSE', 'purpose'],
  ['ECONNRESET', 'closed'],
  ['EPIPE', 'closed'],
  ['ETIMEDOUT', 'timeout'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not_tls'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'not_tls'],
  ['ERR_SSL_HTTP_REQUEST', 'not_tls'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'version'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'version'],
  ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'protocol'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', clientCertificate],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', clientCertificate],
  ['ERR_SSL_TLSV1_ALERT_ACCESS_DENIED', clientCertificate],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', clientCertificate],
  ['ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE', clientCertificate],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', clientCertificate],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', clientCertificate],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', clientCertificate],
]);
