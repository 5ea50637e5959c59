import type { PeerCertificate } from '../../filters/auth/mtls/peer-certificate.ts';
import type { ForwardedLines } from '../forwarded.ts';
import type { PortContext } from '../port-context.ts';

/** What the streams of a connection share. */
export type SessionContext = {
  readonly port: PortContext;
  readonly forwarded: ForwardedLines;
  clientCertificate(): PeerCertificate | undefined;
  /** True when requests for this host need a connection of their own (RFC 9113 section 9.1.2). */
  misdirected(host: string): boolean;
  /** Is told the bytes of a request's head, as text. */
  headRead(bytes: number): void;
  bodyRead(bytes: number): void;
  /** So much more of a request may come, which is not read. */
  bodyLeft(bytes: number): void;
  /** Is told the end of a response. */
  answered(): void;
  streamClosed(): void;
};
