import type { Stream, StreamOwner } from './stream.ts';

/** Who is told what concerns a connection. */
export type SessionOwner = {
  /** A request comes; nobody is asked this of a client. */
  onStream(stream: Stream): StreamOwner;
  /** The peer takes so many streams at once. */
  onSettings(mostStreams: number): void;
  /** The peer has not processed streams above `last` and takes no new ones. */
  onGoaway(last: number, code: number): void;
  onPong(): void;
  /** The peer asked for a sign of life, which it gets. */
  onPing(): void;
  /** The connection is over; its streams have been told. */
  onClose(error: Error | undefined): void;
};

/** The peer broke the rules of HTTP/2, or memory ran out. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
}
