import type { JwtIssuer } from '@gatehouse/crds';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { statusOf } from '../../../testing/message.ts';
import { type KeyServer, startKeyServer } from './key-server.ts';
import {
  goodClaims,
  issuer,
  type JwtGateway,
  newPair,
  rsaToken,
  setOf,
  signedBy,
  startJwtGateway,
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

/** Puts the clock of the gateway forward by so many seconds. */
function pass(seconds: number) {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 1000 * seconds);
}

describe('rotation', () => {
  const [old, young] = [newPair(), newPair()];

  it('brings a new key with the first token of it, and takes the old one away', async () => {
    const url = server.at(setOf(['old', old.publicKey]));
    await use(url);
    const cached = signedBy('old', old.privateKey);
    expect([await statusFor(cached), await statusFor(cached)]).toEqual([200, 200]);
    server.change(url, setOf(['young', young.publicKey]));
    pass(11);
    expect(await statusFor(cached)).toBe(200);
    expect(await statusFor(signedBy('young', young.privateKey))).toBe(200);
    // It was revoked, although it has not expired and was known.
    await jwt.refuses(cached, /^no key fits its kid/);
    expect(server.requestsOf(url)).toBe(2);
  });

  it('is looked for once in 10 s, however many tokens have unknown keys', async () => {
    const url = server.at(setOf(['old', old.publicKey]));
    await use(url);
    expect(await statusFor(signedBy('old', old.privateKey))).toBe(200);
    for (let i = 0; i < 5; i++)
      await jwt.refuses(signedBy(`k${i}`, young.privateKey), /no key fits/);
    expect(server.requestsOf(url)).toBe(1);
    pass(11);
    const many = Array.from({ length: 10 }, (_, i) =>
      statusFor(signedBy(`k${i}`, young.privateKey)),
    );
    expect(new Set(await Promise.all(many))).toEqual(new Set([401]));
    expect(server.requestsOf(url)).toBe(2);
  });

  it('is not looked for by tokens of another issuer, or with another algorithm', async () => {
    const url = server.at(setOf(['old', old.publicKey]));
    await use(url, { algorithms: ['ES256'] });
    expect(await statusFor(signedBy('old', old.privateKey))).toBe(200);
    pass(11);
    const foreign = signedBy('new', young.privateKey, goodClaims({ iss: 'other' }));
    await jwt.refuses(foreign, /names no issuer/);
    await jwt.refuses(rsaToken(goodClaims(), { kid: 'new' }), /algorithm is not accepted/);
    await jwt.refuses(signedBy('old', young.privateKey), /signature is wrong/);
    expect(server.requestsOf(url)).toBe(1);
  });

  it('works without kid', async () => {
    const url = server.at(setOf(['', old.publicKey]));
    await use(url);
    expect(await statusFor(signedBy(undefined, old.privateKey))).toBe(200);
    server.change(url, setOf(['', young.publicKey]));
    pass(11);
    expect(await statusFor(signedBy(undefined, young.privateKey))).toBe(200);
    await jwt.refuses(signedBy(undefined, old.privateKey), /signature is wrong/);
  });

  it('to the same text leaves known tokens known', async () => {
    const url = server.at(setOf(['old', old.publicKey]));
    await use(url);
    const token = signedBy('old', old.privateKey);
    expect(await statusFor(token)).toBe(200);
    pass(11);
    await jwt.refuses(signedBy('new', young.privateKey), /no key fits/);
    expect(server.requestsOf(url)).toBe(2);
    expect(await statusFor(token)).toBe(200);
  });

  it.each<[string, Parameters<KeyServer['at']>[0]]>([
    ['fails', (response) => response.writeHead(500).end()],
    ['brings HTML', '<html>'],
    ['brings weak keys', '{"keys":[]}'],
    ['never ends', () => undefined],
  ])('that %s leaves the last good keys in force', async (name, answer) => {
    const url = server.at(setOf(['old', old.publicKey]));
    await use(url);
    expect(await statusFor(signedBy('old', old.privateKey))).toBe(200);
    if (name === 'never ends') await use(url, {}, { timeout: '100ms' });
    server.change(url, answer);
    pass(11);
    await jwt.refuses(signedBy('young', young.privateKey), /no key fits/);
    expect(server.requestsOf(url)).toBe(2);
    expect(await statusFor(signedBy('old', old.privateKey))).toBe(200);
    expect(jwt.gateway.troubles()).toEqual([]);
    const failed = `gatehouse_key_set_fetches_total{url="${url}",outcome="failed"} 1`;
    expect(jwt.gateway.metrics()).toContain(failed);
  });
});
