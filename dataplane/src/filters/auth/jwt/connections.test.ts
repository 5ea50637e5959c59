import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectTo } from '../../../testing/client.ts';
import { statusOf, valuesOf } from '../../../testing/message.ts';
import { patient } from '../../../testing/peer.ts';
import { type KeyServer, startKeyServer } from './key-server.ts';
import { goodClaims, inline, type JwtGateway, rsaToken, startJwtGateway } from './testing.ts';

let jwt: JwtGateway;
let server: KeyServer;

beforeAll(async () => {
  [jwt, server] = await Promise.all([startJwtGateway(), startKeyServer()]);
});
beforeEach(() => jwt.backend.reset());
afterAll(async () => {
  await jwt.close();
  await server.close();
});

const tokenFor = (sub: string) => rsaToken(goodClaims({ sub }));
const request = (token: string, path = '/') =>
  `GET ${path} HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer ${token}\r\n\r\n`;
const users = () =>
  jwt.backend.requests.map(({ fields }) => valuesOf(fields, 'x-user-id').join('|'));

describe('one connection', () => {
  beforeEach(() => jwt.use());

  it('serves pipelined requests of different users, each with its own identity', async () => {
    const client = await connectTo(jwt.gateway.port);
    const names = ['alice', 'bob', '', 'alice', 'carol'];
    const texts = names.map((name) => request(name === '' ? 'bad' : tokenFor(name)));
    client.write(texts.join(''));
    const statuses = [];
    for (const _ of names) statuses.push(statusOf(await client.message()));
    client.end();
    expect(statuses).toEqual([200, 200, 401, 200, 200]);
    expect(users()).toEqual(['alice', 'bob', 'alice', 'carol']);
  });

  it('never keeps the identity of an earlier request', async () => {
    const client = await connectTo(jwt.gateway.port);
    const ask = async (text: string) => {
      client.write(text);
      return statusOf(await client.message());
    };
    const [alice, bob] = [tokenFor('alice'), tokenFor('bob')];
    expect(await ask(request(alice))).toBe(200);
    expect(await ask(request(alice))).toBe(200);
    expect(await ask('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')).toBe(401);
    expect(await ask(request(bob))).toBe(200);
    expect(await ask(request(alice.slice(0, -1)))).toBe(401);
    expect(await ask(request(alice))).toBe(200);
    client.end();
    expect(users()).toEqual(['alice', 'alice', 'bob', 'alice']);
  });

  it('serves the same token on many connections', async () => {
    const alice = tokenFor('alice');
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () =>
        statusOf(await jwt.ask(`Authorization: Bearer ${alice}\r\n`)),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(new Set(users())).toEqual(new Set(['alice']));
  });
});

describe('while keys are fetched', () => {
  /** Serves by keys that are held back until `server.release()`. */
  async function holdingKeys() {
    const url = server.holding(inline);
    await jwt.use({ issuers: [{ jwks: { url } }] });
  }

  it('a body waits, and arrives as it was sent', async () => {
    await holdingKeys();
    const client = await connectTo(jwt.gateway.port);
    const body = Buffer.alloc(300_000, 'abcdefg');
    const head = request(tokenFor('alice'), '/upload').replace('GET', 'POST').slice(0, -2);
    client.write(`${head}Content-Length: ${body.length}\r\n\r\n`);
    client.write(body);
    await server.asked();
    expect(jwt.backend.requests).toHaveLength(0);
    server.release();
    expect(statusOf(await client.message())).toBe(200);
    client.end();
    expect(jwt.backend.requests[0]!.body.equals(body)).toBe(true);
    expect(users()).toEqual(['alice']);
  });

  it('a chunked body waits, and pipelined requests behind it keep their order', async () => {
    await holdingKeys();
    const client = await connectTo(jwt.gateway.port);
    const head = request(tokenFor('alice'), '/upload').replace('GET', 'POST').slice(0, -2);
    client.write(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
    client.write(request(tokenFor('bob'), '/second'));
    client.write(request('bad', '/third'));
    await server.asked();
    server.release();
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push(statusOf(await client.message()));
    client.end();
    expect(statuses).toEqual([200, 200, 401]);
    expect(jwt.backend.requests.map(({ body }) => body.toString())).toEqual(['hello', '']);
    expect(users()).toEqual(['alice', 'bob']);
  });

  it('all that wait share one fetch', async () => {
    await holdingKeys();
    const before = server.requests;
    const asked = Array.from({ length: 10 }, (_, i) =>
      jwt.ask(`Authorization: Bearer ${tokenFor(`user${i}`)}\r\n`),
    );
    await server.asked();
    await expect.poll(() => jwt.gateway.connections(), patient).toBeGreaterThanOrEqual(10);
    server.release();
    const statuses = (await Promise.all(asked)).map(statusOf);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(server.requests - before).toBeLessThanOrEqual(1);
  });

  it.each(['end', 'reset'] as const)('a client may go (%s), and nothing is left', async (how) => {
    await holdingKeys();
    await expect.poll(() => jwt.gateway.connections(), patient).toBe(0);
    const client = await connectTo(jwt.gateway.port);
    client.write(request(tokenFor('alice')));
    await server.asked();
    await expect.poll(() => jwt.gateway.connections(), patient).toBe(1);
    client[how]();
    if (how === 'reset') await expect.poll(() => jwt.gateway.connections(), patient).toBe(0);
    server.release();
    await expect.poll(() => jwt.gateway.connections(), patient).toBe(0);
    expect(statusOf(await jwt.ask(`Authorization: Bearer ${tokenFor('bob')}\r\n`))).toBe(200);
    if (how === 'reset') expect(users()).toEqual(['bob']);
  });
});
