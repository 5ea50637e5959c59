import { createHash } from 'node:crypto';
import { Code, ConnectError } from '@connectrpc/connect';
import { ApiFault, type ApiServer, fieldsOf, reasonOf } from '../providers/kubernetes/index.ts';
import type { Authenticate } from './authenticate.ts';

export interface TokenReviewOptions {
  api: ApiServer;
  /** The only ones that are let in, as "<namespace>/<name>". */
  serviceAccounts: readonly string[];
  /** What the token must be made for. */
  audience: string;
  onFault(reason: string): void;
  /** Milliseconds for which an answer holds; at most 60,000. */
  lifetime?: number;
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number;
}

type Identity = Awaited<ReturnType<Authenticate>>;

const defaultLifetime = 60_000;
/** Answers that are remembered. */
const mostRemembered = 1000;
/** Reviews under way at one time: strangers cannot make more work for the API server. */
const mostAtOnce = 8;
const reviewTimeout = 5000;
const podName = 'authentication.kubernetes.io/pod-name';

/**
 * Lets those in whose projected service-account token the API server vouches for (TokenReview). What
 * cannot be such a token by its own words is refused without asking; its words are never believed.
 */
export function tokenReview(options: TokenReviewOptions): Authenticate {
  const { api, serviceAccounts, audience, onFault, now = () => performance.now() } = options;
  const lifetime = Math.min(options.lifetime ?? defaultLifetime, defaultLifetime);
  const users = new Set(
    serviceAccounts.map((account) => `system:serviceaccount:${account.replace('/', ':')}`),
  );
  const answers = new Map<string, { until: number; identity: Promise<Identity> }>();
  let running = 0;

  async function review(token: string): Promise<Identity> {
    if (running >= mostAtOnce) {
      throw new ConnectError('too many tokens are being reviewed', Code.ResourceExhausted);
    }
    running++;
    try {
      const answer = await api.request({
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [audience] },
        },
        timeout: reviewTimeout,
      });
      return identityOf(fieldsOf(fieldsOf(answer).status));
    } catch (error) {
      if (!(error instanceof ApiFault)) throw error;
      const remedy =
        error.status === 403
          ? '; grant "create" on "tokenreviews" of the API group "authentication.k8s.io"'
          : '';
      onFault(`Cannot review the token of a data plane: ${reasonOf(error)}${remedy}`);
      throw new ConnectError('the API server cannot review the token now', Code.Unavailable);
    } finally {
      running--;
    }
  }

  function identityOf({ authenticated, audiences, user }: Record<string, unknown>): Identity {
    const { username, extra } = fieldsOf(user);
    // An API server that knows no audiences leaves them out: then the token is for itself.
    const meant = Array.isArray(audiences) && audiences.includes(audience);
    if (authenticated !== true || !meant || !users.has(String(username))) return undefined;
    const pods = fieldsOf(extra)[podName];
    const [node] = Array.isArray(pods) ? pods : [];
    return typeof node === 'string' ? { node } : {};
  }

  return async (token) => {
    if (!claimsToBe(token, users, audience)) return undefined;
    const at = now();
    const key = createHash('sha256').update(token).digest('base64');
    const known = answers.get(key);
    if (known !== undefined && known.until > at) return known.identity;
    const identity = review(token);
    answers.delete(key);
    answers.set(key, { until: at + lifetime, identity });
    for (const oldest of answers.keys()) {
      if (answers.size <= mostRemembered) break;
      answers.delete(oldest);
    }
    // What was not answered is asked again.
    identity.catch(() => answers.delete(key));
    return identity;
  };
}

/**
 * Whether a token says of itself that it is for the audience and of one of the users (RFC 7519). Its
 * times are left to the API server, whose clock made them.
 */
function claimsToBe(token: string, users: ReadonlySet<string>, audience: string): boolean {
  const [, payload = '', signature] = token.split('.');
  if (signature === undefined) return false;
  let claims: Record<string, unknown>;
  try {
    claims = fieldsOf(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
  const { aud, sub } = claims;
  return users.has(String(sub)) && (Array.isArray(aud) ? aud.includes(audience) : aud === audience);
}
