import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** Answers of a provider by path; what is not given is as it should be. */
export type Script = Partial<Record<'discovery' | 'keys' | 'token', Respond>>;
export type Respond = (
  request: IncomingMessage,
  response: ServerResponse,
  form: URLSearchParams,
) => void | Promise<void>;

/** A provider whose answers a test chooses. Nobody logs in: codes are whatever comes. */
export type ScriptedProvider = {
  issuer: string;
  script: Script;
  discovery: Record<string, unknown>;
  /** Claims of the next ID token beside the usual ones; undefined leaves one out. */
  claims: Record<string, unknown>;
  /** Fields of the next token answer beside the usual ones. */
  tokens: Record<string, unknown>;
  /** Forms that came to the token endpoint, with the Authorization of the request. */
  forms: { form: Record<string, string>; authorization: string }[];
  asked: string[];
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
  /** Another key, which is published alone. */
  rotate(): Promise<void>;
  reset(): void;
  close(): Promise<void>;
};

export async function startScriptedProvider(clientId: string): Promise<ScriptedProvider> {
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let count = 0;
  let key = await newKey();

  async function newKey() {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const kid = `key-${++count}`;
    return { kid, ...pair, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256' } };
  }

  const usual = {
    issuer,
    authorization_endpoint: `${issuer}/authorize?tenant=a`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
  };
  const provider: ScriptedProvider = {
    issuer,
    script: {},
    discovery: {},
    claims: {},
    tokens: {},
    forms: [],
    asked: [],
    sign: (claims, header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header })
        .sign(key.privateKey),
    async rotate() {
      key = await newKey();
    },
    reset() {
      Object.assign(provider, { script: {}, discovery: {}, claims: {}, tokens: {} });
      provider.forms.length = 0;
      provider.asked.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };

  /** The nonce of a login is told by its code: "code:<nonce>". */
  async function tokenAnswer(form: URLSearchParams) {
    const now = Math.floor(Date.now() / 1000);
    const nonce = form.get('code')?.slice(5);
    const claims = { iss: issuer, aud: clientId, sub: 'alice', iat: now, exp: now + 300, nonce };
    return {
      access_token: 'access',
      token_type: 'Bearer',
      id_token: await provider.sign({ ...claims, ...provider.claims }),
      ...provider.tokens,
    };
  }

  async function respond(request: IncomingMessage, response: ServerResponse) {
    const path = (request.url ?? '').split('?')[0] ?? '';
    provider.asked.push(path);
    const form = new URLSearchParams(await bodyOf(request));
    if (path === '/token') {
      const authorization = request.headers.authorization ?? '';
      provider.forms.push({ form: Object.fromEntries(form), authorization });
      if (provider.script.token) return provider.script.token(request, response, form);
      return json(response, await tokenAnswer(form));
    }
    if (path === '/keys') {
      if (provider.script.keys) return provider.script.keys(request, response, form);
      return json(response, { keys: [key.jwk] });
    }
    if (provider.script.discovery) return provider.script.discovery(request, response, form);
    json(response, { ...usual, ...provider.discovery });
  }

  return provider;
}

export function json(response: ServerResponse, value: unknown, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  request.setEncoding('utf8');
  for await (const text of request) body += text;
  return body;
}
