import {
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign as signBytes,
} from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Tokens of one issuer, and what a proxy needs to check them. */
export type TokenLot = {
  /** One token a line, all different. */
  file: string;
  /** A good token that is not in the file: who has seen it has none of the others in a cache. */
  spare: string;
  /** PEM. */
  publicKeyFile: string;
  /** A JSON Web Key Set. */
  jwks: string;
  /** Tokens that must be refused, by what is wrong with them. */
  forgeries: ReadonlyMap<string, string>;
};

type Claims = Readonly<Record<string, unknown>>;

const keyId = 'bench-1';
const modulusBits = 2048;
const lifetimeSeconds = 86_400;

/** Signatures under way at once: enough for the threads of libuv's pool, which sign on all cores. */
const inFlight = 16;

function encode(part: Claims): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function signingInput(claims: Claims, alg = 'RS256'): string {
  return `${encode({ alg, typ: 'JWT', kid: keyId })}.${encode(claims)}`;
}

/** A token as RFC 7515 section 7.1 and RFC 7518 section 3.3 have it. */
async function signRs256(claims: Claims, key: KeyObject): Promise<string> {
  const input = signingInput(claims);
  const signature = await new Promise<Buffer>((resolve, reject) => {
    signBytes('RSA-SHA256', Buffer.from(input), key, (error, bytes) =>
      error === null ? resolve(bytes) : reject(error),
    );
  });
  return `${input}.${signature.toString('base64url')}`;
}

/** The claims of a usual access token: 650 bytes with header and signature. */
function claimsOf(user: number, issuedAt: number): Claims {
  return {
    iss: 'https://issuer.bench.test',
    aud: 'bench',
    sub: `user-${user}`,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    jti: randomUUID(),
    role: 'reader',
    email: `user-${user}@bench.test`,
  };
}

async function signAll(count: number, issuedAt: number, key: KeyObject): Promise<string[]> {
  const tokens: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      tokens[index] = await signRs256(claimsOf(index, issuedAt), key);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return tokens;
}

/** Replaces the character in the middle of one of the three parts of a token. */
function tamper(token: string, part: 0 | 1 | 2): string {
  const parts = token.split('.');
  const text = parts[part] ?? '';
  const middle = Math.floor(text.length / 2);
  parts[part] =
    `${text.slice(0, middle)}${text[middle] === 'A' ? 'B' : 'A'}${text.slice(middle + 1)}`;
  return parts.join('.');
}

async function forge(
  good: string,
  claims: Claims,
  issuedAt: number,
  key: KeyObject,
  publicPem: string,
): Promise<ReadonlyMap<string, string>> {
  const stranger = generateKeyPairSync('rsa', { modulusLength: modulusBits }).privateKey;
  const confused = signingInput(claims, 'HS256');
  const mac = createHmac('sha256', publicPem).update(confused).digest('base64url');
  return new Map([
    ['with another signature', tamper(good, 2)],
    ['with other claims', tamper(good, 1)],
    ['of another key', await signRs256(claims, stranger)],
    ['that has expired', await signRs256({ ...claims, exp: issuedAt - 3600 }, key)],
    ['without a signature', `${signingInput(claims, 'none')}.`],
    ['signed by HMAC with the public key', `${confused}.${mac}`],
  ]);
}

/**
 * Makes a key pair and signs `count` tokens (RS256, 2048 bits, valid for a day) into a folder. The private key is not
 * kept.
 */
export async function makeTokens(count: number, folder: string): Promise<TokenLot> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: modulusBits });
  const issuedAt = Math.floor(Date.now() / 1000);
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const file = join(folder, 'tokens.txt');
  const publicKeyFile = join(folder, 'public.pem');
  await writeFile(file, `${(await signAll(count, issuedAt, privateKey)).join('\n')}\n`);
  await writeFile(publicKeyFile, publicPem);
  const claims = claimsOf(count, issuedAt);
  const spare = await signRs256(claims, privateKey);
  return {
    file,
    spare,
    publicKeyFile,
    jwks: JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'RS256', use: 'sig' }],
    }),
    forgeries: await forge(spare, claims, issuedAt, privateKey, publicPem),
  };
}
