import type { Check } from '../check.ts';

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const challenge = { 'www-authenticate': 'Basic realm="tools", charset="UTF-8"' };

export const checks: Check[] = [
  {
    shows: 'a browser is told to ask for a password',
    request: 'GET /',
    expect: {
      status: 401,
      headers: challenge,
      body: { error: 'Missing authentication token' },
    },
  },
  {
    shows: 'bcrypt; the password goes no further',
    request: 'GET /',
    headers: basic('alice', 'open-sesame'),
    expect: {
      status: 200,
      body: { headers: { 'x-user-id': 'alice', authorization: undefined } },
    },
  },
  {
    shows: 'argon2id',
    request: 'GET /',
    headers: basic('bob', 'correct horse'),
    expect: { status: 200, body: { headers: { 'x-user-id': 'bob' } } },
  },
  {
    shows: '{SSHA}',
    request: 'GET /',
    headers: basic('carol', 'swordfish'),
    expect: { status: 200, body: { headers: { 'x-user-id': 'carol' } } },
  },
  {
    shows: 'a wrong password',
    request: 'GET /',
    headers: basic('alice', 'close-sesame'),
    expect: { status: 401, headers: challenge, body: { error: 'Invalid token' } },
  },
  {
    shows: 'a user that there is not',
    request: 'GET /',
    headers: basic('mallory', 'open-sesame'),
    expect: { status: 401, headers: challenge, body: { error: 'Invalid token' } },
  },
];
