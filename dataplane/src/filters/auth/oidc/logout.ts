import type { Attempt } from '../method.ts';
import type { OidcClient } from './client.ts';
import { redirectReply } from './login.ts';
import type { Session } from './session.ts';

/**
 * Ends the session here, and sends the browser to where the provider ends its own (OpenID Connect
 * RP-Initiated Logout). A provider that cannot be asked does not keep anybody logged in.
 * @param removed field lines that take the session from the browser
 */
export async function endSession(
  { clientId, provider }: OidcClient,
  session: Session | undefined,
  removed: string,
): Promise<Attempt> {
  const endpoint = await provider.metadata().then(
    ({ endSessionEndpoint }) => endSessionEndpoint,
    () => undefined,
  );
  if (endpoint === undefined || !session) {
    const fields = `content-type: text/plain\r\ncache-control: no-store\r\n${removed}`;
    const reply = { status: 200, body: Buffer.from('Logged out\n'), fields };
    return { kind: 'answered', reply, reason: 'logged out' };
  }
  const url = new URL(endpoint);
  url.searchParams.set('client_id', clientId);
  url.searchParams.set('id_token_hint', session.idToken);
  return { kind: 'answered', reply: redirectReply(url.href, removed), reason: 'logged out' };
}
