import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { ApiRequest, ApiServer } from '../providers/kubernetes/api-server.ts';
import { ApiFault } from '../providers/kubernetes/index.ts';
import type { Authenticate } from './authenticate.ts';
import { tokenReview } from './token-review.ts';

let clock: number;
let asked: ApiRequest[];
let answer: (token: string) => unknown;
let faults: string[];
let authenticate: Authenticate;

const username = 'system:serviceaccount:gatehouse:data-plane';
const good = {
  authenticated: true,
  audiences: ['gatehouse'],
  user: { username, extra: { 'authentication.kubernetes.io/pod-name': ['gw-1'] } },
};

beforeEach(() => {
  clock = 0;
  asked = [];
  faults = [];
  answer = () => good;
  const api: ApiServer = {
    async request(request) {
      asked.push(request);
      await new Promise((resolve) => setImmediate(resolve));
      const { spec } = request.body as { spec: { token: string } };
      return { status: await answer(spec.token) };
    },
    async *lines() {},
    close: () => undefined,
  };
  authenticate = tokenReview({
    api,
    serviceAccounts: ['gatehouse/data-plane'],
    audience: 'gatehouse',
    onFault: (reason) => faults.push(reason),
    now: () => clock,
  });
});
afterEach(() => expect(faults.length).toBeLessThan(2));

function token(claims: object = {}, signature = 'sig'): string {
  const all = { aud: ['gatehouse'], sub: username, ...claims };
  return `header.${Buffer.from(JSON.stringify(all)).toString('base64url')}.${signature}`;
}

describe('a token', () => {
  it('is reviewed for the audience and names the pod', async () => {
    expect(await authenticate(token())).toEqual({ node: 'gw-1' });
    expect(asked[0]).toMatchObject({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { spec: { token: token(), audiences: ['gatehouse'] } },
    });
  });

  it.each<[string, object]>([
    ['not authenticated', { ...good, authenticated: false }],
    ['without a word', {}],
    ['for another audience', { ...good, audiences: ['https://kubernetes.default.svc'] }],
    ['without audiences', { ...good, audiences: undefined }],
    ['of another user', { ...good, user: { username: 'system:serviceaccount:gatehouse:other' } }],
    ['of nobody', { ...good, user: undefined }],
  ])('is refused when the review says: %s', async (_, status) => {
    answer = () => status;
    expect(await authenticate(token())).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  it('binds no node when it is of no pod', async () => {
    answer = () => ({ ...good, user: { username } });
    expect(await authenticate(token())).toEqual({});
  });

  it.each<[string, string]>([
    ['no JWT', 'a-shared-token-of-old'],
    ['no JSON', 'a.b.c'],
    ['no object', `a.${Buffer.from('null').toString('base64url')}.c`],
    ['another audience', token({ aud: ['other'] })],
    ['another account', token({ sub: 'system:serviceaccount:gatehouse:controller' })],
  ])('is refused without a review: %s', async (_, text) => {
    expect(await authenticate(text)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('is reviewed once a minute, whatever the answer', async () => {
    for (const status of [good, { authenticated: false }]) {
      asked = [];
      answer = () => status;
      const text = token({}, String(status.authenticated));
      await Promise.all([authenticate(text), authenticate(text)]);
      clock += 59_000;
      await authenticate(text);
      expect(asked).toHaveLength(1);
      clock += 2000;
      await authenticate(text);
      expect(asked).toHaveLength(2);
    }
  });
});

describe('an API server that cannot answer', () => {
  it('lets nobody in, and is asked again', async () => {
    answer = () => {
      throw new ApiFault('no', 403);
    };
    await expect(authenticate(token())).rejects.toThrow('cannot review the token now');
    expect(faults).toEqual([expect.stringContaining('grant "create" on "tokenreviews"')]);
    answer = () => good;
    expect(await authenticate(token())).toEqual({ node: 'gw-1' });
  });

  it('is not flooded by strangers', async () => {
    const all = Array.from({ length: 50 }, (_, i) => authenticate(token({}, String(i))));
    const results = await Promise.allSettled(all);
    expect(asked).toHaveLength(8);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(42);
  });

  it('is not remembered without end', async () => {
    for (let i = 0; i < 1100; i++) await authenticate(token({}, String(i)));
    asked = [];
    await authenticate(token({}, '1099'));
    expect(asked).toHaveLength(0);
    await authenticate(token({}, '0'));
    expect(asked).toHaveLength(1);
  });
});

test('whatever a stranger presents is refused without a review', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), parts()), async (text) => {
      expect(await authenticate(text)).toBeUndefined();
      expect(asked).toEqual([]);
    }),
  );
});

function parts() {
  const json = fc.json().map((text) => Buffer.from(text).toString('base64url'));
  return fc.tuple(fc.string(), json, fc.string()).map((all) => all.join('.'));
}
