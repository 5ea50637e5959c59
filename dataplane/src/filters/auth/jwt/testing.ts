import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  algorithmTraits,
  type JwtAlgorithm,
  type JwtIssuer,
  type JwtMethod,
} from '@gatehouse/crds';
import { expect } from 'vitest';
import { type RawBackend, startBackend } from '../../../testing/backend.ts';
import { connectTo } from '../../../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../../../testing/gateway.ts';
import { type Message, statusOf, valuesOf } from '../../../testing/message.ts';
import { authPolicy, forwardRule, type TestSnapshot } from '../../../testing/snapshot.ts';

export const issuer = 'https://issuer.test/';

/** Pairs of keys: made once a test file. */
export const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ec384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ec521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed: generateKeyPairSync('ed25519'),
};

export const jwkOf = (key: KeyObject, more: object = {}) => ({
  ...key.export({ format: 'jwk' }),
  ...more,
});

/** A key set of all pairs; the kid of each is its name. */
export const inline = JSON.stringify({
  keys: Object.entries(pairs).map(([kid, { publicKey }]) => jwkOf(publicKey, { kid })),
});

export const nowInSeconds = () => Math.floor(Date.now() / 1000);

export const goodClaims = (more: object = {}) => ({
  iss: issuer,
  sub: 'alice',
  aud: 'api',
  exp: nowInSeconds() + 600,
  ...more,
});

export const base64url = (content: unknown) =>
  (Buffer.isBuffer(content)
    ? content
    : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
  ).toString('base64url');

/** A token with any header and payload, text or value, and the signature that `signer` makes. */
export function tokenOf(header: unknown, payload: unknown, signer: (input: Buffer) => Buffer) {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${signer(Buffer.from(input)).toString('base64url')}`;
}

/** What signs as the algorithm says, with whatever key. */
export function signerOf(alg: JwtAlgorithm, key: KeyObject | Buffer | string) {
  const { kty, hash, hashBytes, pss } = algorithmTraits[alg];
  return (input: Buffer): Buffer => {
    if (kty === 'oct') return createHmac(String(hash), key).update(input).digest();
    const privateKey = key as KeyObject;
    if (kty === 'EC') return sign(hash, input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    if (!pss) return sign(hash, input, privateKey);
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return sign(hash, input, { key: privateKey, padding, saltLength: hashBytes });
  };
}

/** A good token, but for what is changed. */
export function rsaToken(claims: unknown = goodClaims(), header: object = {}) {
  const signer = signerOf('RS256', pairs.rsa.privateKey);
  return tokenOf({ alg: 'RS256', kid: 'rsa', ...header }, claims, signer);
}

export type JwtGateway = {
  backend: RawBackend;
  gateway: TestGateway;
  /** Serves by this method; the issuers are `inline` when left out. */
  use(method?: Partial<JwtMethod>, more?: JwtMore): Promise<void>;
  /** One request on a connection of its own. @param lines complete field lines */
  ask(lines: string, target?: string): Promise<Message>;
  /** Expects that a request with this token in "Authorization: Bearer" gets through. */
  lets(token: string): Promise<void>;
  /** Expects 401 for it, word for word, that the backend got nothing, and why in the log. */
  refuses(token: string, reason: RegExp): Promise<void>;
  /** The same for a request with these lines. */
  refusesLines(lines: string, reason: RegExp | 'missing', target?: string): Promise<void>;
  close(): Promise<void>;
};

type JwtMore = Parameters<typeof authPolicy>[0] & Pick<TestSnapshot, 'entries'>;

/** A gateway with a JWT method before a backend. */
export async function startJwtGateway(): Promise<JwtGateway> {
  const backend = await startBackend();
  const gateway = await startGatewayTo(backend);

  async function ask(lines: string, target = '/') {
    const client = await connectTo(gateway.port);
    client.write(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
    const answer = await client.message();
    client.end();
    return answer;
  }

  async function refusesLines(lines: string, reason: RegExp | 'missing', target?: string) {
    backend.reset();
    const answer = await ask(lines, target);
    const missing = reason === 'missing';
    expect({
      status: statusOf(answer),
      body: answer.body.toString(),
      challenge: valuesOf(answer.fields, 'www-authenticate'),
      reached: backend.requests.length,
    }).toEqual({
      status: 401,
      body: missing ? '{"error":"Missing authentication token"}' : '{"error":"Invalid token"}',
      challenge: [missing ? 'Bearer' : 'Bearer error="invalid_token"'],
      reached: 0,
    });
    const denial = gateway.denials.at(-1);
    expect(denial?.rule).toBe('authentication/users');
    expect(denial?.reason).toMatch(missing ? /^no credential$/ : reason);
    expect(denial?.reason).not.toMatch(/eyJ|alice/);
  }

  return {
    backend,
    gateway,
    ask,
    use({ issuers = [defaultIssuer], ...method } = {}, { entries = {}, ...fields } = {}) {
      const jwt = { issuers, ...method };
      const authentication = [{ name: 'users', jwt }, ...(fields.authentication ?? [])];
      return gateway.use({
        rules: [forwardRule('backend')],
        upstreams: { backend: { endpoints: [{ port: backend.port }] } },
        policies: [authPolicy({ ...fields, authentication })],
        entries,
      });
    },
    async lets(token) {
      backend.reset();
      const answer = await ask(`Authorization: Bearer ${token}\r\n`);
      if (statusOf(answer) !== 200) expect.fail(`${answer.raw} ${gateway.denials.at(-1)?.reason}`);
    },
    refuses: (token, reason) => refusesLines(`Authorization: Bearer ${token}\r\n`, reason),
    refusesLines,
    async close() {
      await gateway.close();
      await backend.close();
    },
  };
}

const defaultIssuer: JwtIssuer = { issuer, audiences: ['api'], inline };

/** A key set of these keys; '' for one without kid. */
export const setOf = (...keys: [string, KeyObject][]) =>
  JSON.stringify({ keys: keys.map(([kid, key]) => jwkOf(key, kid === '' ? {} : { kid })) });

export const newPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const signedBy = (kid: string | undefined, key: KeyObject, claims = goodClaims()) =>
  tokenOf({ alg: 'ES256', kid }, claims, signerOf('ES256', key));
