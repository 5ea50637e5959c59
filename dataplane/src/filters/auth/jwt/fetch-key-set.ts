import { type Outbound, type OutboundAnswer, OutboundFault, placeOf } from '../../outbound.ts';

/** Bytes of a key set: some hundred keys. */
const mostBytes = 262_144;

/**
 * The text of a key set (RFC 7517) at a URL.
 * @param timeout milliseconds for all of it
 * @throws OutboundFault when there is no answer with status 200 and text
 */
export async function fetchKeySet(
  outbound: Outbound,
  url: string,
  timeout: number,
): Promise<string> {
  const answer = await outbound.ask({
    ...placeOf(url),
    method: 'GET',
    headers: {
      accept: 'application/jwk-set+json, application/json',
      'accept-encoding': 'identity',
      'user-agent': 'gatehouse',
    },
    timeout,
    mostBytes,
  });
  const fault = faultOf(answer);
  if (fault !== undefined) throw new OutboundFault(fault);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(answer.body);
  } catch (error) {
    if (error instanceof TypeError) throw new OutboundFault('the answer is not UTF-8');
    throw error;
  }
}

function faultOf({ status, headers }: OutboundAnswer): string | undefined {
  if (status >= 300 && status < 400) {
    return `the answer is a redirect (${status}), which is not followed: give the URL that it leads to`;
  }
  if (status !== 200) return `the answer has status ${status}`;
  const coding = headers['content-encoding'] ?? 'identity';
  return coding === 'identity' ? undefined : `the answer is encoded (${coding})`;
}
