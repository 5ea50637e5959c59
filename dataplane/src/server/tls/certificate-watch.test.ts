import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, type Pair } from '../../testing/authority.ts';
import { lanesOf } from '../../testing/snapshot.ts';
import {
  type CertificateProblem,
  type CertificateWatch,
  watchCertificates,
} from './certificate-watch.ts';

const day = 86_400_000;
const start = Date.parse('2026-01-01T00:00:00Z');
let pair: Pair;
beforeAll(async () => {
  const dates = { notBefore: new Date(start), notAfter: new Date(start + 90 * day) };
  pair = await (await createAuthority('CN=root')).issue('CN=a', dates);
});

let watch: CertificateWatch;
afterEach(() => watch.close());

function startAt(days: number) {
  const told: (readonly CertificateProblem[])[] = [];
  const time = { now: start + days * day };
  watch = watchCertificates(
    (problems) => told.push(problems),
    () => time.now,
  );
  const { config } = lanesOf(
    {
      listeners: [
        { name: 'default/gw/https', certificates: ['default/a'] },
        {
          name: 'default/gw/kept',
          certificates: [],
          keptCertificates: ['default/a', 'default/gone'],
        },
      ],
      secrets: { 'default/a': pair, 'default/unused': pair },
    },
    8443,
  );
  watch.use(config);
  return { told, time };
}

describe('the watch of certificates', () => {
  it('says when those that listeners show expire', () => {
    startAt(1);
    const value = (start + 90 * day) / 1000;
    expect(watch.metrics().map(({ name, labels, value }) => [name, labels, value])).toEqual(
      ['https', 'kept'].map((listener) => [
        'gatehouse_listener_certificate_expiry_timestamp_seconds',
        `listener="default/gw/${listener}",secret="default/a"`,
        value,
      ]),
    );
  });

  it.each<[string, number, boolean, string]>([
    ['before its time', -1, true, 'is not valid before 2026-01-01T00:00:00Z; '],
    ['two weeks before its end', 76.1, true, 'expires on 2026-04-01T00:00:00Z: renew it'],
    ['behind its end', 90.1, false, 'has expired on 2026-04-01T00:00:00Z: put a new pair into it'],
  ])('tells of a certificate %s', (_, days, notice, reason) => {
    const { told } = startAt(days);
    expect(told).toHaveLength(1);
    expect(told[0]).toHaveLength(1);
    expect(told[0]?.[0]).toMatchObject({
      name: 'default/a',
      path: 'data["tls.crt"]',
      reason: expect.stringContaining(`the certificate of Secret "default/a" ${reason}`),
      notice,
    });
  });

  it('tells once, when that changes', () => {
    const { told, time } = startAt(1);
    expect(told).toEqual([]);
    for (const days of [75, 77, 78, 91, 92]) {
      time.now = start + days * day;
      watch.look();
    }
    expect(told.map(([problem]) => problem?.notice)).toEqual([true, false]);
    watch.use(new Map());
    expect(told.at(-1)).toEqual([]);
  });
});
