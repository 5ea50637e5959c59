import { milliseconds } from '../../durations.ts';
import type { PolicyContext } from '../context.ts';

type SecretKeyRef = { name: string; key?: string };

/** Milliseconds: a request of a client waits for the call. */
const longestTimeout = 60_000;

/** Reports a URL that cannot be called. */
export function checkUrl(url: string, path: string, { report }: PolicyContext): URL | undefined {
  const parsed = URL.parse(url);
  if (!parsed) {
    report(path, `"${url}" is not a URL`);
    return undefined;
  }
  if (parsed.port === '0') report(path, `"${url}" has port 0, where nobody listens`);
  return parsed;
}

export function checkTimeout(timeout: string | undefined, path: string, { report }: PolicyContext) {
  if (timeout === undefined) return;
  const value = milliseconds(timeout, path, report);
  if (value === 0)
    report(path, 'must be longer than 0: without a limit requests would wait for ever');
  else if (value > longestTimeout) report(path, 'must be at most 60s: requests wait for it');
}

/** Reports a client secret that is missing, empty, or has nobody that it belongs to. */
export function checkClient(
  { clientId, clientSecretRef: ref }: { clientId?: string; clientSecretRef?: SecretKeyRef },
  path: string,
  context: PolicyContext,
) {
  if (!ref) return;
  const at = `${path}.clientSecretRef`;
  if (clientId === undefined) context.report(at, 'goes with clientId: give that as well');
  const secret = context.secretEntry(ref, 'clientSecret', at);
  if (secret && Buffer.from(secret).toString('utf8').trim() === '') {
    context.report(at, `entry "${ref.key ?? 'clientSecret'}" of Secret "${ref.name}" is empty`);
  }
}
