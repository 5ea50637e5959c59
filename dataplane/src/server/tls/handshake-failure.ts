/** Why a handshake came to nothing, as the metrics name it. */
export type HandshakeFailure =
  | 'timeout'
  /** The client went away, in whatever manner. */
  | 'closed'
  /** What came is not the beginning of TLS. */
  | 'not_tls'
  /** Nobody serves that name any more. */
  | 'no_listener'
  /** No version, cipher suite or application protocol in common. */
  | 'version'
  | 'cipher'
  | 'protocol'
  /** The client said why it does not go on; most often it does not trust the certificate. */
  | 'client_alert'
  | 'other';

const byCode: Readonly<Record<string, HandshakeFailure>> = {
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_VERSION_TOO_LOW: 'version',
  ERR_SSL_INAPPROPRIATE_FALLBACK: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'cipher',
  ERR_SSL_NO_SUITABLE_GROUPS: 'cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'protocol',
  ERR_TLS_ALPN_CALLBACK_INVALID_RESULT: 'protocol',
};

/** OpenSSL names an alert of the other side by this word, those of SSL 3.0 as "SSL/TLS". */
const alert = /^ERR_SSL_(?:SSLV3|SSL\/TLS|TLSV1|TLSV13)_ALERT_/;

export function failureOf(error: NodeJS.ErrnoException): HandshakeFailure {
  const code = error.code ?? '';
  return byCode[code] ?? (alert.test(code) ? 'client_alert' : 'other');
}
