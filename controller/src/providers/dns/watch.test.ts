import type { Answer } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DnsSource } from '../../compile/discovery-source.ts';
import { createRecorder } from '../discovery/testing/recorder.ts';
import { type DnsTiming, watchDns } from './index.ts';
import { type NameServer, startNameServer } from './testing/name-server.ts';

const timing: DnsTiming = { timeout: 1000, retry: { first: 5, most: 20 } };
const name = 'users.internal';

let server: NameServer;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  server = await startNameServer();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await server.close();
});

function follow(fields: Partial<DnsSource> = {}, times = timing) {
  const recorder = createRecorder();
  const source: DnsSource = {
    kind: 'dns',
    name,
    records: 'Address',
    port: 80,
    resolvers: [server.address],
    minTtl: 20,
    maxTtl: 60_000,
    ...fields,
  };
  opened.push(watchDns(source, recorder.sink, times));
  return recorder;
}

const a = (data: string, ttl = 0, of = name): Answer => ({ type: 'A', name: of, ttl, data });
const aaaa = (data: string, ttl = 0): Answer => ({ type: 'AAAA', name, ttl, data });
const cname = (of: string, data: string): Answer => ({ type: 'CNAME', name: of, ttl: 0, data });
const srv = (target: string, port: number, priority = 1, weight = 1): Answer => ({
  type: 'SRV',
  name,
  ttl: 0,
  data: { target, port, priority, weight },
});
const know = (...records: Answer[]) =>
  server.records.splice(0, Number.POSITIVE_INFINITY, ...records);

async function listOf(recorder: ReturnType<typeof follow>) {
  const { endpoints, mistakes } = await recorder.any();
  return {
    list: endpoints.map(({ address, port, weight }) => `${address} ${port} ${weight}`),
    mistakes,
  };
}

describe('addresses', () => {
  it('are followed as they change', async () => {
    know(a('10.0.0.2'), a('10.0.0.1'), a('10.0.0.2'));
    const recorder = follow();
    expect(await listOf(recorder)).toEqual({
      list: ['10.0.0.1 80 1', '10.0.0.2 80 1'],
      mistakes: [],
    });
    know(a('10.0.0.3'));
    expect((await recorder.addresses('10.0.0.3')).endpoints).toEqual([
      { address: '10.0.0.3', port: 80, weight: 1, zone: '' },
    ]);
  });

  it.each<[DnsSource['records'], string]>([
    ['Address', '10.0.0.1'],
    ['A', '10.0.0.1'],
    ['AAAA', '2001:db8::1'],
  ])('of the records %s are %s', async (records, address) => {
    know(a('10.0.0.1'), aaaa('2001:db8::1'));
    await follow({ records }).addresses(address);
  });

  it('are those of AAAA records where there is no A', async () => {
    know(aaaa('2001:db8::1'));
    await follow().addresses('2001:db8::1');
    expect((await follow({ records: 'A' }).fault()).failed).toEqual([
      'spec.endpoints.dns.name: "users.internal" has no A records: create them, or ask for others in records',
    ]);
  });

  it('may be behind aliases', async () => {
    know(
      cname(name, 'b.internal'),
      cname('b.internal', 'c.internal'),
      a('10.0.0.9', 0, 'c.internal'),
    );
    await follow().addresses('10.0.0.9');
  });

  it('may be so many that they come by TCP', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    know(...many.map((address) => a(address)));
    await follow().addresses(...many);
  });
});

describe('the time to live', () => {
  /** Milliseconds between two questions. */
  async function pauseWith(ttl: number, bounds: Partial<DnsSource>): Promise<number> {
    know(a('10.0.0.1', ttl));
    const recorder = follow(bounds);
    for (let i = 0; i < 2; i++) await recorder.addresses('10.0.0.1');
    const [first, second] = server.asked;
    return (second?.at ?? 0) - (first?.at ?? 0);
  }

  it('says when the name is asked for again', async () => {
    expect(await pauseWith(1, {})).toBeGreaterThan(995);
  });

  it('has a lower bound', async () => {
    expect(await pauseWith(0, { minTtl: 200 })).toBeGreaterThan(195);
  });

  it('has an upper bound', async () => {
    expect(await pauseWith(3600, { maxTtl: 100 })).toBeLessThan(5000);
  });
});

describe('services', () => {
  it('have ports, weights and addresses, those of the first priority', async () => {
    know(
      srv('a.internal', 8001, 1, 5),
      srv('b.internal', 8002, 1, 0),
      srv('backup.internal', 8003, 2, 9),
      a('10.0.0.1', 0, 'a.internal'),
      a('10.0.0.2', 0, 'a.internal'),
      a('10.0.0.3', 0, 'b.internal'),
      a('10.0.0.9', 0, 'backup.internal'),
    );
    const recorder = follow({ records: 'SRV', port: 0 });
    expect(await listOf(recorder)).toEqual({
      list: ['10.0.0.1 8001 5', '10.0.0.2 8001 5', '10.0.0.3 8002 1'],
      mistakes: [],
    });
    server.records.splice(0, 2);
    await recorder.addresses('10.0.0.9');
  });

  it('are left out one by one, when something is wrong with one', async () => {
    know(
      srv('a.internal', 8001),
      srv('b.internal', 0),
      srv('gone.internal', 8003),
      a('10.0.0.1', 0, 'a.internal'),
    );
    expect(await listOf(follow({ records: 'SRV', port: 0 }))).toEqual({
      list: ['10.0.0.1 8001 1'],
      mistakes: [
        'spec.endpoints.dns.name: targets are left out whose port is 0 (b.internal)',
        'spec.endpoints.dns.name: targets are left out that have no address (gone.internal)',
      ],
    });
  });

  it('stay as they are while a target cannot be resolved just now', async () => {
    know(
      srv('a.internal', 8001),
      srv('b.internal', 8001),
      a('10.0.0.1', 0, 'a.internal'),
      a('10.0.0.2', 0, 'b.internal'),
    );
    const recorder = follow({ records: 'SRV', port: 0 });
    await recorder.addresses('10.0.0.1', '10.0.0.2');
    server.troubles.set('b.internal', 'SERVFAIL');
    expect((await recorder.fault()).transient).toBe(true);
    server.troubles.clear();
    await recorder.addresses('10.0.0.1', '10.0.0.2');
  });

  it.each<[string, Answer[], string]>([
    ['the target "."', [srv('.', 0)], 'the only target is ".": the service is said to be nowhere'],
    ['a port of 0', [srv('b.internal', 0)], 'targets are left out whose port is 0 (b.internal)'],
    [
      'targets without addresses',
      [srv('b.internal', 1), srv('c.internal', 1), srv('d.internal', 1), srv('e.internal', 1)],
      'targets are left out that have no address (b.internal, c.internal, d.internal and 1 more)',
    ],
    [
      'no records',
      [a('10.0.0.1')],
      '"users.internal" has no SRV records: create them, or ask for others in records',
    ],
  ])('with %s and nothing else are told', async (_, records, reason) => {
    know(...records);
    expect((await follow({ records: 'SRV', port: 0 }).fault()).failed).toEqual([
      `spec.endpoints.dns.name: ${reason}`,
    ]);
  });
});

describe('a name', () => {
  it('that does not exist is told, and found as soon as it does', async () => {
    const recorder = follow();
    expect(await recorder.fault()).toEqual({
      failed: [
        'spec.endpoints.dns.name: "users.internal" does not exist (NXDOMAIN): create it, or correct it',
      ],
      transient: false,
    });
    know(a('10.0.0.1'));
    await recorder.addresses('10.0.0.1');
    know();
    await recorder.fault();
  });

  it.each(['A', 'SRV'] as const)('that leads in a circle is told (%s)', async (records) => {
    know(cname(name, 'b.internal'), cname('b.internal', 'Users.internal'));
    expect((await follow({ records }).fault()).failed).toEqual([
      'spec.endpoints.dns.name: its CNAME records lead in a circle (users.internal -> b.internal -> users.internal): correct one of them',
    ]);
  });

  it('that leads in a circle is told, too, when the resolver gave up', async () => {
    know(cname(name, 'b.internal'), cname('b.internal', 'b.internal'));
    server.troubles.set('A users.internal', 'SERVFAIL');
    expect((await follow().fault()).failed).toEqual([
      'spec.endpoints.dns.name: its CNAME records lead in a circle (users.internal -> b.internal -> b.internal): correct one of them',
    ]);
  });

  it('that has no address is told', async () => {
    know({ type: 'TXT', name, ttl: 0, data: 'nothing' });
    expect((await follow().fault()).failed).toEqual([
      'spec.endpoints.dns.name: "users.internal" has no A or AAAA records: create them, or ask for others in records',
    ]);
  });

  it.each<[string, () => void, string]>([
    [
      'that cannot be resolved just now',
      () => server.troubles.set(name, 'SERVFAIL'),
      'name: "users.internal" cannot be resolved just now (SERVFAIL): see the log of the name server',
    ],
    [
      'that the server does not tell us',
      () => server.troubles.set(name, 'REFUSED'),
      'resolvers: the name servers (SERVER) refuse to answer: let the controller ask',
    ],
    [
      'that nobody answers for',
      () => server.troubles.set(name, 'silence'),
      'resolvers: no name server (SERVER) answers in time',
    ],
  ])('%s is told, and asked for again', async (_, trouble, expected) => {
    know(a('10.0.0.1'));
    trouble();
    const recorder = follow({}, { ...timing, timeout: 100 });
    const { failed } = await recorder.fault();
    expect(failed).toEqual([`spec.endpoints.dns.${expected.replace('SERVER', server.address)}`]);
    server.troubles.clear();
    await recorder.addresses('10.0.0.1');
  });

  it('whose server is not there is told', async () => {
    const gone = await startNameServer();
    await gone.close();
    const { failed, transient } = await follow({ resolvers: [gone.address] }).fault();
    expect(failed).toEqual([
      `spec.endpoints.dns.resolvers: no name server (${gone.address}) can be reached: start it, or correct it`,
    ]);
    expect(transient).toBe(true);
  });

  it('is asked of the next server when the first is not there', async () => {
    const gone = await startNameServer();
    await gone.close();
    know(a('10.0.0.1'));
    await follow({ resolvers: [gone.address, server.address] }).addresses('10.0.0.1');
  });
});
