import { argon2Sync, createHash } from 'node:crypto';
import fc from 'fast-check';
import { bcrypt } from 'hash-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTo } from '../../../testing/client.ts';
import { type GuardedBackend, startGuardedBackend } from '../../../testing/guarded-backend.ts';
import { statusOf } from '../../../testing/message.ts';

let guarded: GuardedBackend;
let file: string;

const bcryptOf = (password: string, costFactor: number) =>
  bcrypt({ password, salt: Buffer.alloc(16, 7), costFactor, outputType: 'encoded' });

function argon2Of(password: string): string {
  const nonce = Buffer.alloc(16, 9);
  const tag = argon2Sync('argon2id', {
    message: password,
    nonce,
    parallelism: 2,
    memory: 1024,
    passes: 2,
    tagLength: 32,
  });
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=1024,t=2,p=2$${text(nonce)}$${text(tag)}`;
}

function shaOf(password: string, salt = ''): string {
  const digest = createHash('sha1').update(password).update(salt).digest();
  const all = Buffer.concat([digest, Buffer.from(salt)]).toString('base64');
  return salt === '' ? `{SHA}${all}` : `{SSHA}${all}`;
}

beforeAll(async () => {
  guarded = await startGuardedBackend();
  const long = await bcryptOf('l'.repeat(72), 4);
  file = [
    `apache:${(await bcryptOf('open sesame', 4)).replace('$2a$', '$2y$')}`,
    `two-a:${await bcryptOf('pässwörd', 5)}`,
    `two-b:${(await bcryptOf('b:b', 4)).replace('$2a$', '$2b$')}`,
    `long:${long}`,
    // Of the documentation of htpasswd, and of the tests of the reference implementation.
    'apache-docs:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC',
    'apache-sha:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=',
    'reference:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    `argon:${argon2Of('correct horse')}`,
    `old:${shaOf('sha')}`,
    `salted:${shaOf('ssha', 'pepper')}`,
    `zoë:${shaOf('ünï')}`,
  ].join('\n');
});
afterAll(() => guarded.close());

const basic = { secretRef: { name: 'users' } };
const entriesOf = (auth: string) => ({ 'policy/default/users/auth': { auth } });
const serve = (auth = file) =>
  guarded.guard([{ name: 'people', basic }], { entries: entriesOf(auth) });
const line = (user: string, password: string | Buffer) => {
  const bytes = Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password)]);
  return `Authorization: Basic ${bytes.toString('base64')}\r\n`;
};

describe('a user with a password', () => {
  it.each([
    ['apache', 'open sesame'],
    ['two-a', 'pässwörd'],
    ['two-b', 'b:b'],
    ['long', 'l'.repeat(100)],
    ['argon', 'correct horse'],
    ['apache-docs', 'myPassword'],
    ['apache-sha', 'myPassword'],
    ['reference', 'password'],
    ['old', 'sha'],
    ['salted', 'ssha'],
    ['zoë', 'ünï'],
  ])('%s gets through, twice', async (user, password) => {
    await serve();
    for (let i = 0; i < 2; i++) {
      const answer = await guarded.ask(line(user, password));
      expect(answer.status).toBe(200);
      const [id = ''] = answer.sent('x-user-id') ?? [];
      expect(Buffer.from(id, 'latin1').toString()).toBe(user);
      expect(answer.sent('authorization')).toHaveLength(1);
    }
  });

  const reasons = () => guarded.gateway.denials.at(-1)?.reason;

  it.each<[string, string, string]>([
    ['a wrong password', line('apache', 'open Sesame'), 'the password is wrong'],
    ['another wrong password', line('argon', 'correct horses'), 'the password is wrong'],
    ['a wrong short password', line('old', 'SHA'), 'the password is wrong'],
    ['the password of another', line('two-a', 'open sesame'), 'the password is wrong'],
    ['an unknown user', line('mallory', 'open sesame'), 'the user is not known'],
    ['an object key for a user', line('__proto__', 'x'), 'the user is not known'],
    ['no user', line('', 'open sesame'), 'the user is not known'],
    ['no password', line('apache', ''), 'the credentials are malformed'],
    ['controls', line('apache', 'open\0sesame'), 'the credentials are malformed'],
    ['latin1', line('two-a', Buffer.from('pässwörd', 'latin1')), 'the credentials are malformed'],
    ['no colon', 'Authorization: Basic YXBhY2hl\r\n', 'the credentials are malformed'],
    ['no base64', 'Authorization: Basic a:b\r\n', 'the credentials are malformed'],
    ['base64 of URLs', 'Authorization: Basic _-__\r\n', 'the credentials are malformed'],
    ['a hash for a password', line('old', shaOf('sha')), 'the password is wrong'],
    ['two credentials', line('old', 'sha') + line('old', 'sha'), 'there are two credentials'],
    ['a giant password', line('apache', 'x'.repeat(5000)), 'the password is wrong'],
  ])('that brings %s gets 401', async (_, lines, reason) => {
    await serve();
    const answer = await guarded.ask(lines);
    expect([answer.status, answer.body]).toEqual([401, '{"error":"Invalid token"}']);
    expect(answer.values('www-authenticate')).toEqual(['Basic realm="gatehouse", charset="UTF-8"']);
    expect(reasons()).toBe(reason);
    expect(JSON.stringify(guarded.gateway.denials)).not.toMatch(/sesame|horse|apache|mallory/i);
    expect(guarded.gateway.metrics()).not.toMatch(/sesame|apache|mallory/i);
  });

  it.each([
    ['nothing', ''],
    ['a Bearer token', 'Authorization: Bearer YTpi\r\n'],
    ['an empty field', 'Authorization: Basic \r\n'],
  ])('that brings %s is asked for it', async (_, lines) => {
    const entries = entriesOf(file);
    await guarded.guard([{ name: 'people', basic: { ...basic, realm: 'the shop' } }], { entries });
    const answer = await guarded.ask(lines);
    expect([answer.status, answer.body]).toEqual([401, '{"error":"Missing authentication token"}']);
    expect(answer.values('www-authenticate')).toEqual(['Basic realm="the shop", charset="UTF-8"']);
  });

  it('that anybody makes up never gets through', async () => {
    await serve(`old:${shaOf('sha')}`);
    const bytes = fc.uint8Array({ maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        const token = Buffer.from(sent).toString('base64');
        expect((await guarded.ask(`Authorization: Basic ${token}\r\n`)).status).toBe(401);
      }),
      { numRuns: 40 },
    );
  });
});

describe('passwords', () => {
  it('change with their Secret, whatever was good before', async () => {
    await serve(`a:${shaOf('first')}`);
    expect((await guarded.ask(line('a', 'first'))).status).toBe(200);
    await serve(`a:${shaOf('second')}`);
    expect((await guarded.ask(line('a', 'first'))).status).toBe(401);
    expect((await guarded.ask(line('a', 'second'))).status).toBe(200);
  });

  it('that come in a flood do not hold up others, and are refused beyond a bound', async () => {
    await serve(`a:${await bcryptOf('good', 6)}\nb:${shaOf('quick')}`);
    await guarded.ask(line('a', 'good'));
    const clients = await Promise.all(
      Array.from({ length: 140 }, () => connectTo(guarded.gateway.port)),
    );
    const order: number[] = [];
    for (const [i, client] of clients.entries()) {
      client.write(`GET / HTTP/1.1\r\nHost: a\r\n${line('a', `guess ${i}`)}\r\n`);
    }
    // The good credential of before is known, and needs no turn.
    const known = guarded.ask(line('a', 'good')).then(({ status }) => order.push(status));
    const flood = clients.map(async (client) => {
      order.push(statusOf(await client.message()));
      client.end();
    });
    await Promise.all([...flood, known]);
    expect(new Set(order)).toEqual(new Set([200, 401, 503]));
    // One is compared and 64 wait.
    expect(order.filter((status) => status === 401).length).toBeGreaterThanOrEqual(65);
    expect(order.indexOf(200)).toBeLessThan(order.lastIndexOf(401));
    expect(guarded.gateway.denials.map(({ reason }) => reason)).toContain(
      'too many passwords wait to be compared',
    );
  });

  it('that are equal are compared once while that is under way', async () => {
    await serve(`a:${await bcryptOf('good', 6)}`);
    const answers = await Promise.all(
      Array.from({ length: 90 }, () => guarded.ask(line('a', 'good'))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('take as long for a user that there is not', async () => {
    await serve(`a:${await bcryptOf('good', 10)}`);
    const time = async (user: string) => {
      const times: number[] = [];
      for (let i = 0; i < 3; i++) {
        const start = performance.now();
        await guarded.ask(line(user, `bad ${user} ${i}`));
        times.push(performance.now() - start);
      }
      return Math.min(...times);
    };
    const [known, unknown] = [await time('a'), await time('nobody')];
    // Without a comparison it would be some hundred times faster.
    expect(unknown).toBeGreaterThan(known / 4);
  });

  it.each<[string, Record<string, Record<string, string>>, RegExp]>([
    ['a missing Secret', {}, /secretRef.*not in the snapshot/],
    ['a password in the clear', entriesOf('a:secret'), /secretRef.*line 1/],
    ['nobody in it', entriesOf(''), /names no user/],
  ])('with %s are refused', async (_, entries, reason) => {
    const served = guarded.guard([{ name: 'people', basic }], { entries });
    await expect(served).rejects.toThrow(reason);
    await expect(served).rejects.not.toThrow(/a:secret/);
  });
});
