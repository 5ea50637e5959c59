import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type Authority,
  createAuthority,
  type IssueOptions,
  type Pair,
} from '../testing/authority.ts';
import { createCertificate } from '../testing/certificate.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import type { TestSnapshot } from '../testing/snapshot.ts';
import { visit } from '../testing/tls-sessions.ts';

const day = 86_400_000;
const options = { servername: 'a.test' };
const respond = {
  name: 'r',
  action: { case: 'respond' as const, value: { status: 200, body: Buffer.from('fine') } },
};
const snapshot = (pair: Pair): TestSnapshot => ({
  listeners: [{ certificates: ['default/a'] }],
  rules: [respond],
  secrets: { 'default/a': pair },
});

let authority: Authority;
let gateway: TestGateway;
beforeAll(async () => {
  authority = await createAuthority('CN=root', { notAfter: new Date(Date.now() + 100 * day) });
});
afterEach(async () => {
  vi.useRealTimers();
  await gateway.close();
});

/** Valid from and to so many days from now. */
function pair(subject: string, from: number, to: number): Promise<Pair> {
  const dates: IssueOptions = {
    notBefore: new Date(Date.now() + from * day),
    notAfter: new Date(Date.now() + to * day),
  };
  return authority.issue(`CN=${subject}`, dates);
}

const shown = async () => (await visit(gateway.port, options)).subject;

describe('a certificate that is rotated', () => {
  it('is shown by the next handshake, and none fails meanwhile', async () => {
    gateway = await startGateway(snapshot(createCertificate('first.test')));
    const pairs = [createCertificate('even.test'), createCertificate('odd.test')];
    let rotating = true;
    let visits = 0;
    const load = Array.from({ length: 4 }, async () => {
      let session: Buffer | undefined;
      while (rotating) {
        const found = await visit(gateway.port, { ...options, ...(session ? { session } : {}) });
        session = found.session;
        visits++;
      }
    });
    for (let i = 0; i < 50; i++) {
      const before = visits;
      await gateway.use(snapshot(pairs[i % 2]!));
      expect(await shown()).toBe(i % 2 === 0 ? 'even.test' : 'odd.test');
      await expect.poll(() => visits, { interval: 2, timeout: 10_000 }).toBeGreaterThan(before);
    }
    rotating = false;
    await Promise.all(load);
    expect(gateway.metrics()).not.toContain('gatehouse_tls_handshake_failures_total{');
  });

  it('that has expired does not replace one that is valid', async () => {
    gateway = await startGateway(snapshot(await pair('good', -1, 1)));
    await expect(gateway.use(snapshot(await pair('expired', -3, -1)))).rejects.toThrow(
      /"name":"default\/a","path":"data\[\\"tls.crt\\"\]","reason":"the certificate of Secret \\"default\/a\\" has expired on .*: put a valid one into it; the one before, until .*, is shown meanwhile"/,
    );
    expect(await shown()).toBe('good');
  });

  it('that has expired is shown where there is no better one', async () => {
    gateway = await startGateway(snapshot(await pair('expired', -3, -1)));
    expect(await shown()).toBe('expired');
    await gateway.use(snapshot(await pair('expired again', -3, -2)));
    expect(await shown()).toBe('expired again');
    await gateway.use(snapshot(await pair('good', -1, 1)));
    expect(await shown()).toBe('good');
  });

  it('that is not valid yet is shown from that time on, the one before it until then', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    gateway = await startGateway(snapshot(await pair('old', -1, 10)));
    const next = await pair('next', 2, 20);
    await gateway.use(snapshot(next));
    expect(await shown()).toBe('old');
    await gateway.use({ ...snapshot(next), rules: [{ ...respond, name: 'other' }] });
    expect(await shown()).toBe('old');
    vi.setSystemTime(Date.now() + 2 * day);
    expect(await shown()).toBe('next');
  });

  it.each<[string, (old: Pair, next: Pair) => Pair]>([
    ['has the key of another', (old, next) => ({ cert: next.cert, key: old.key })],
    ['is half written', (_, next) => ({ ...next, cert: next.cert.slice(0, 200) })],
    ['has half a key', (_, next) => ({ ...next, key: next.key.slice(0, 60) })],
  ])('that %s is refused, the one before it is shown', async (_, broken) => {
    const old = await pair('old', -1, 1);
    gateway = await startGateway(snapshot(old));
    await expect(gateway.use(snapshot(broken(old, await pair('next', -1, 1))))).rejects.toThrow(
      /default\/a.*is not a certificate with its key/,
    );
    expect(await shown()).toBe('old');
  });
});

describe('two certificates for a name', () => {
  it('are shown as they are valid', async () => {
    const [expired, good] = [await pair('expired', -3, -1), await pair('good', -1, 1)];
    gateway = await startGateway({
      listeners: [{ certificates: ['default/a', 'default/b'] }],
      rules: [respond],
      secrets: { 'default/a': expired, 'default/b': good },
    });
    expect(await shown()).toBe('good');
  });
});
