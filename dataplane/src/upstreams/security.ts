import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from 'node:tls';

/** How connections to the endpoints of an upstream are secured. */
export type Security = {
  /** What is asked for (SNI) and verified (RFC 9525). */
  serverName: string;
  /** Undefined: what it takes is missing, and nobody connects. */
  context: SecureContext | undefined;
  /** The Secret resources it was made of; without a hash: was not there. */
  secrets: readonly { name: string; hash: Uint8Array | undefined }[];
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

/** Opens the connections of a pool: each resumes the session of the one before (RFC 8446 section 2.2). */
export class SecureConnector {
  readonly #failed: (reason: string) => void;
  #of: Security | undefined;
  #session: Buffer | undefined;

  /** @param failed is told why endpoint and gateway did not come to terms, for a label. */
  constructor(failed: (reason: string) => void) {
    this.#failed = failed;
  }

  /**
   * 'secureConnect' follows once the endpoint is verified, else 'error'.
   * @param protocol what is spoken on it (RFC 7301), e.g. "http/1.1".
   */
  connect(
    { address, port }: { address: string; port: number },
    security: Security,
    protocol: string,
  ): TLSSocket {
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
      const code = error.code ?? '';
      // An endpoint that wants another certificate of ours says so behind the handshake of TLS 1.3.
      if (reached || code.startsWith('ERR_SSL_')) this.#failed(reasons.get(code) ?? 'handshake');
    });
    return socket;
  }
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
  ['ECONNRESET', 'closed'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'client_certificate'],
]);
