import { generateKeyPairSync } from 'node:crypto';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { JwtIssuer } from '@gatehouse/crds';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { refusedPort } from '../../../testing/backend.ts';
import { createCertificate } from '../../../testing/certificate.ts';
import { statusOf, valuesOf } from '../../../testing/message.ts';
import { patient } from '../../../testing/peer.ts';
import { type KeyServer, startKeyServer } from './key-server.ts';
import {
  goodClaims,
  inline,
  issuer,
  type JwtGateway,
  newPair,
  pairs,
  rsaToken,
  setOf,
  signerOf,
  startJwtGateway,
  tokenOf,
} from './testing.ts';

let jwt: JwtGateway;
let server: KeyServer;

beforeAll(async () => {
  [jwt, server] = await Promise.all([startJwtGateway(), startKeyServer()]);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await jwt.close();
  await server.close();
});

const authorization = (token: string) => `Authorization: Bearer ${token}\r\n`;
const use = (url: string, more: Partial<JwtIssuer> = {}, jwks: object = {}) =>
  jwt.use({ issuers: [{ issuer, jwks: { url, ...jwks }, ...more }] });
const statusFor = async (token: string) => statusOf(await jwt.ask(authorization(token)));

async function expectUnenforceable(reason: RegExp) {
  jwt.backend.reset();
  const answer = await jwt.ask(authorization(rsaToken()));
  expect({
    status: statusOf(answer),
    body: answer.body.toString(),
    challenge: valuesOf(answer.fields, 'www-authenticate'),
    reached: jwt.backend.requests.length,
  }).toEqual({
    status: 500,
    body: '{"error":"Policy cannot be enforced"}',
    challenge: [],
    reached: 0,
  });
  expect(jwt.gateway.denials.at(-1)?.reason).toMatch(/^the key set cannot be fetched: /);
  await expect.poll(() => jwt.gateway.troubles(), patient).toHaveLength(1);
  const [trouble] = jwt.gateway.troubles();
  expect(trouble).toEqual({
    policy: 'AuthPolicy/default/test/0',
    path: 'authentication[users].jwt.issuers[0].jwks.url',
    reason: expect.stringMatching(/^Cannot fetch the key set: .*; its tokens .*: check the URL/),
  });
  expect(trouble?.reason).toMatch(reason);
}

describe('a key set that is no use', () => {
  const { publicKey, privateKey } = newPair();
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  it.each<[string, Parameters<KeyServer['at']>[0], RegExp]>([
    ['HTML', '<!doctype html><title>Sign in</title>', /it is HTML or XML/],
    ['no JSON', 'keys', /it is not JSON/],
    ['a list', '[]', /it is not a JSON Web Key Set/],
    ['no keys', '{"keys":[]}', /it keys holds no key/],
    ['a private key', setOf(['k', privateKey]), /it keys\[0\] is a private key/],
    ['a key of 1024 bits', setOf(['k', weak]), /it keys\[0\] is an RSA key of 1024 bits/],
    ['a symmetric key', '{"keys":[{"kty":"oct","k":"AA"}]}', /it keys\[0\] is a symmetric key/],
    [
      'the same name twice',
      `{"keys":[],${setOf(['k', publicKey]).slice(1)}`,
      /it names a member twice/,
    ],
    [
      'huge',
      (response) => response.end(`${setOf(['k', publicKey])}${' '.repeat(300_000)}`),
      /larger than 262144 bytes/,
    ],
    [
      'huge without a length',
      (response) => {
        response.on('error', () => undefined);
        response.flushHeaders();
        response.end(Buffer.alloc(1 << 20, ' '));
      },
      /larger than 262144 bytes/,
    ],
    ['not UTF-8', (response) => response.end(Buffer.from('{"\xff":1}', 'latin1')), /not UTF-8/],
    [
      'compressed',
      (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(inline)),
      /is encoded \(gzip\)/,
    ],
    ['not there', (response) => response.writeHead(404).end(inline), /has status 404/],
    ['an error', (response) => response.writeHead(503).end(inline), /has status 503/],
    ['no content', (response) => response.writeHead(204).end(), /has status 204/],
    [
      'cut off',
      (response) => {
        response.writeHead(200, { 'content-length': 9999 });
        response.write(inline);
        response.destroy();
      },
      /the request failed/,
    ],
    ['slow to begin', () => undefined, /no answer within 100 ms/],
    [
      'slow to end',
      (response) => void response.write(inline.slice(0, 9)),
      /no answer within 100 ms/,
    ],
  ])('because it is %s', async (name, answer, reason) => {
    await use(server.at(answer), {}, name.startsWith('slow') ? { timeout: '100ms' } : {});
    await expectUnenforceable(reason);
  });

  it('because it is a redirect, which is not followed', async () => {
    const target = server.at(inline);
    for (const status of [301, 302, 307, 308]) {
      await use(
        server.at((response) => response.writeHead(status, { location: target }).end(inline)),
      );
      await expectUnenforceable(/is a redirect \(30\d\), which is not followed/);
    }
    expect(server.requestsOf(target)).toBe(0);
  });

  it('because nobody listens', async () => {
    await use(`http://127.0.0.1:${await refusedPort()}/keys`);
    await expectUnenforceable(/ECONNREFUSED/);
  });

  it('because nobody vouches for the certificate', async () => {
    const { cert, key } = createCertificate('localhost');
    const tls = createTlsServer({ cert, key }, (_, response) => response.end(inline));
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    try {
      await use(`https://localhost:${(tls.address() as AddressInfo).port}/keys`);
      await expectUnenforceable(/CERT|SIGNED/);
    } finally {
      await new Promise<void>((resolve) => tls.close(() => resolve()));
    }
  });

  it('stops only tokens that may be of that issuer', async () => {
    await jwt.use({
      issuers: [
        { issuer, jwks: { url: server.at('<html>') } },
        { issuer: 'other', inline },
      ],
    });
    await expectUnenforceable(/HTML/);
    await jwt.lets(rsaToken(goodClaims({ iss: 'other' })));
    await jwt.refuses(rsaToken(goodClaims({ iss: 'third' })), /names no issuer/);
    await jwt.refuses('x', /1 parts/);
    await jwt.refuses(
      tokenOf({ alg: 'none' }, goodClaims(), () => Buffer.alloc(0)),
      /not accepted/,
    );
    await jwt.refusesLines('', 'missing');
  });

  it('makes nobody anonymous', async () => {
    const everybody = { name: 'everybody', anonymous: {} };
    const issuers = [{ issuer, jwks: { url: server.at('<html>') } }];
    await jwt.use({ issuers }, { authentication: [everybody] });
    await expectUnenforceable(/HTML/);
  });

  it('is no trouble any more once it is', async () => {
    const url = server.at('<html>');
    await use(url);
    await expectUnenforceable(/HTML/);
    server.change(url, inline);
    await expect.poll(() => jwt.gateway.troubles(), patient).toEqual([]);
    expect(await statusFor(rsaToken())).toBe(200);
  });

  it('is no trouble any more when no policy needs it', async () => {
    await use(server.at('<html>'));
    await expectUnenforceable(/HTML/);
    await jwt.use();
    expect(jwt.gateway.troubles()).toEqual([]);
    await jwt.lets(rsaToken());
  });

  it('of two policies is the trouble of both, and of one when the other has gone', async () => {
    const url = server.at('<html>');
    const method = (name: string) => ({ name, jwt: { issuers: [{ issuer, jwks: { url } }] } });
    await jwt.use({ issuers: method('').jwt.issuers }, { authentication: [method('second')] });
    await expect
      .poll(() => jwt.gateway.troubles().map(({ path }) => path), patient)
      .toEqual([
        'authentication[users].jwt.issuers[0].jwks.url',
        'authentication[second].jwt.issuers[0].jwks.url',
      ]);
    await use(url);
    expect(jwt.gateway.troubles()).toHaveLength(1);
  });
});

describe('a key set of several policies', () => {
  it('is fetched once, and stays when one of them changes', async () => {
    const url = server.at(inline);
    await use(url);
    await jwt.lets(rsaToken());
    await use(url, { audiences: ['other'] });
    await jwt.refuses(rsaToken(), /"aud"/);
    await use(url, {}, { refresh: '1h' });
    await jwt.lets(rsaToken());
    expect(server.requestsOf(url)).toBe(1);
  });

  it('is asked for with plain words, and nothing of ours', async () => {
    let seen: object = {};
    const url = server.at((response, { headers, method }) => {
      seen = { method, ...headers };
      response.end(inline);
    });
    await use(url);
    await jwt.lets(rsaToken());
    expect(seen).toMatchObject({
      method: 'GET',
      accept: 'application/jwk-set+json, application/json',
      'accept-encoding': 'identity',
      'user-agent': 'gatehouse',
    });
    expect(JSON.stringify(seen)).not.toMatch(/cookie|authorization/i);
  });

  it('with bad keys beside good ones serves those', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    await use(server.at(setOf(['weak', weak.publicKey], ['rsa', pairs.rsa.publicKey])));
    await jwt.lets(rsaToken());
    const signer = signerOf('RS256', weak.privateKey);
    await jwt.refuses(tokenOf({ alg: 'RS256', kid: 'weak' }, goodClaims(), signer), /no key fits/);
  });
});
