import type { Socket } from 'node:net';
import { now } from '../state/clock.ts';

/** Milliseconds a closed connection may still send, so that a client mid-upload reads its answer. */
export const lingerTimeout = 2000;

/**
 * Closes our side first; what the client still sends is read and thrown away (RFC 9112 section 9.6).
 * `arm` sets when the socket is destroyed.
 * @param patience milliseconds a client may take to read a response that waits for it.
 */
export function closeInOrder(socket: Socket, arm: (at: number) => void, patience: number) {
  socket.resume();
  if (socket.writableLength === 0) {
    socket.end();
    arm(now() + lingerTimeout);
    return;
  }
  arm(now() + Math.max(patience, lingerTimeout));
  socket.end(() => {
    if (!socket.destroyed) arm(now() + lingerTimeout);
  });
}
