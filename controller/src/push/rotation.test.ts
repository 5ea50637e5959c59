import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAuthority, issueCertificate } from './authority.ts';
import { datesOf } from './pair.ts';
import { type Held, renewed, type Schedule, type Trust } from './rotation.ts';

const day = 24 * 60 * 60 * 1000;
const minute = 60 * 1000;
const start = Date.UTC(2026, 0, 1);
const schedule: Schedule = {
  authority: { lifetime: 100 * day, renewBefore: 40 * day },
  certificate: { lifetime: 30 * day, renewBefore: 10 * day },
  settle: 10 * minute,
};
const hosts = ['a.svc', '127.0.0.1'];
const at = (now: number, published: readonly string[]) => ({ now, hosts, published, schedule });

const first = await renewed({}, at(start, []));
const later = (held: Held, days: number, published = first.authorities) =>
  renewed(held, at(start + days * day, published));

test('the first of all has the names and the times that were asked for', () => {
  const certificate = new X509Certificate(first.server.certificate);
  expect(certificate.subjectAltName).toBe('DNS:a.svc, IP Address:127.0.0.1');
  expect(certificate.validToDate.getTime()).toBe(start + 30 * day);
  const [authority = ''] = first.authorities;
  expect(datesOf(authority).notAfter).toBe(start + 100 * day);
  expect(new X509Certificate(authority).ca).toBe(true);
  expect(certificate.ca).toBe(false);
});

describe('nothing is due', () => {
  test.each([0, 1, 19.9])('after %d days', async (days) => {
    expect(await later(first, days)).toBe(first);
  });
  test('for a certificate near its end whose authority nobody was told of', async () => {
    expect(await later(first, 25, [])).toBe(first);
  });
});

const changes = (before: Held, after: Trust) => ({
  authorities: after.authorities.length - (before.authorities?.length ?? 0),
  certificate: after.server.certificate !== before.server?.certificate,
});
const foreign = await createAuthority({ now: start, lifetime: 100 * day });
const foreignServer = await issueCertificate(foreign, hosts, { now: start, lifetime: 30 * day });
const narrow = await issueCertificate(
  { certificate: first.authorities[0] ?? '', key: first.authorityKey },
  ['a.svc'],
  { now: start, lifetime: 30 * day },
);

test.each<[string, Held, number, ReturnType<typeof changes>]>([
  ['near its end', first, 20.1, { authorities: 0, certificate: true }],
  ['past its end', first, 31, { authorities: 0, certificate: true }],
  ['past its end, as is nearly its authority', first, 61, { authorities: 1, certificate: true }],
  ['and authority past their end', first, 101, { authorities: 0, certificate: true }],
  [
    'taken away',
    { authorities: first.authorities, authorityKey: first.authorityKey },
    1,
    { authorities: 0, certificate: true },
  ],
  [
    'of another authority',
    { ...first, server: foreignServer },
    1,
    { authorities: 0, certificate: true },
  ],
  [
    'without one of the names',
    { ...first, server: narrow },
    1,
    { authorities: 0, certificate: true },
  ],
  [
    'whose key is of another one',
    { ...first, server: { ...first.server, key: foreignServer.key } },
    1,
    { authorities: 0, certificate: true },
  ],
  [
    'that is no PEM',
    { ...first, server: { certificate: 'x', key: 'y' } },
    1,
    { authorities: 0, certificate: true },
  ],
  [
    'whose authority has a foreign key',
    { ...first, authorityKey: foreign.key },
    1,
    { authorities: 1, certificate: false },
  ],
  [
    'whose authority has no key',
    { ...first, authorityKey: 'x' },
    1,
    { authorities: 1, certificate: false },
  ],
  [
    'beside a list that is no PEM',
    { ...first, authorities: ['x'] },
    1,
    { authorities: 0, certificate: true },
  ],
])('a certificate %s', async (_, held, days, expected) => {
  expect(changes(held, await later(held, days))).toEqual(expected);
});

test('a certificate never outlives its authority', async () => {
  const authority = await createAuthority({ now: start, lifetime: 5 * day });
  const held = { authorities: [authority.certificate], authorityKey: authority.key };
  const { server } = await renewed(held, at(start, held.authorities));
  expect(datesOf(server.certificate).notAfter).toBe(start + 5 * day);
});

test('data planes that hear of authorities late accept whatever is served, at any time', async () => {
  const steps = fc.array(
    fc.record({ hours: fc.double({ min: 0.01, max: 200, noNaN: true }), told: fc.boolean() }),
    { minLength: 20, maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      let now = start;
      let trust = first;
      let published: readonly string[] = trust.authorities;
      let known = published;
      for (const { hours, told } of all) {
        // What was published a settling time ago has arrived, what is newer has not.
        const pause = hours * 60 * minute;
        if (pause >= schedule.settle) known = published;
        now += pause;
        const next = await renewed(trust, at(now, published));
        if (told) published = next.authorities;
        trust = next;
        const served = new X509Certificate(trust.server.certificate);
        expect(known.some((one) => served.verify(new X509Certificate(one).publicKey))).toBe(true);
        expect(served.validToDate.getTime()).toBeGreaterThan(now);
        expect(trust.authorities.length).toBeLessThanOrEqual(4);
      }
    }),
    { numRuns: 6 },
  );
});
