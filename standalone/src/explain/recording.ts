import {
  type Client,
  Exchange,
  ForwardedLines,
  type LinkedListener,
  type Reply,
  type RequestHead,
} from '@gatehouse/dataplane/explain';
import type { Asked } from './asked.ts';

/** An exchange that nobody waits for: what would be answered is taken down. */
export type Recorded = { exchange: Exchange; replies: Reply[] };

/** @param listener that took the request. */
export function recordedExchange(
  head: RequestHead,
  { scheme, port, clientAddress }: Asked,
  listener: LinkedListener | undefined,
): Recorded {
  const replies: Reply[] = [];
  const forwarded = new ForwardedLines(clientAddress, scheme, port);
  const hops = listener?.trustedHops ?? 0;
  const client: Client = {
    scheme,
    trusted: hops > 0,
    reply: (_exchange, reply) => void replies.push(reply),
    clientAddress: () => forwarded.clientAddress(head, hops),
    forwardedLines: () => forwarded.lines(head, hops),
    clientCertificate: () => undefined,
    get writer(): never {
      throw new Error('Cannot explain a response: nothing is sent');
    },
    finish: () => undefined,
    cut: () => undefined,
    tunnelEnd: undefined,
    fail(_exchange, error) {
      throw error;
    },
    pause: () => undefined,
    resume: () => undefined,
    arm: () => undefined,
  };
  return { exchange: new Exchange(client, head, 'explain', 0), replies };
}
