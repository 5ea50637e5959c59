import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiServer } from '../providers/kubernetes/index.ts';
import { ScriptedApiServer } from '../providers/kubernetes/testing/scripted-api-server.ts';
import { type Election, elect } from './elect.ts';

const leases = 'apis/coordination.k8s.io/v1/leases';
const timing = { lease: 1000, renew: 500, retry: 50 };
let server: ScriptedApiServer;
let api: ApiServer;
const opened: Election[] = [];

beforeEach(async () => {
  server = new ScriptedApiServer(leases);
  api = await server.listen();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  api.close();
  await server.close();
});

function start(identity: string) {
  const changes: boolean[] = [];
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const election = elect({
    api,
    namespace: 'gatehouse',
    name: 'controller',
    identity,
    timing,
    log: { info: log, warn: log } as never,
    onChange: (leads) => changes.push(leads),
  });
  opened.push(election);
  return { election, changes, lines };
}

const lease = () => server.get(leases, 'controller', 'gatehouse');
const spec = () => lease()?.spec as Record<string, unknown>;

describe('an election', () => {
  it('has one leader of many, who renews', async () => {
    const all = ['a', 'b', 'c'].map(start);
    await vi.waitFor(() => expect(all.filter(({ election }) => election.leads())).toHaveLength(1));
    const first = spec();
    await vi.waitFor(() => expect(spec().renewTime).not.toBe(first.renewTime), 3000);
    expect(spec()).toMatchObject({ holderIdentity: first.holderIdentity, leaseTransitions: 0 });
    expect(spec().acquireTime).toBe(first.acquireTime);
    expect(all.flatMap(({ changes }) => changes)).toEqual([true]);
  });

  it('passes on at once what is given back', async () => {
    const a = start('a');
    await vi.waitFor(() => expect(a.election.leads()).toBe(true));
    const b = start('b');
    await vi.waitFor(() => expect(server.seen.length).toBeGreaterThan(5));
    const from = performance.now();
    await a.election.close();
    await vi.waitFor(() => expect(b.election.leads()).toBe(true));
    expect(performance.now() - from).toBeLessThan(timing.lease / 2);
    expect(a.changes).toEqual([true, false]);
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it.each([
    ['an hour behind', -3_600_000],
    ['an hour ahead', 3_600_000],
  ])('waits for a leader whose clock is %s, and not for ever', async (_, skew) => {
    const renewTime = new Date(Date.now() + skew).toISOString();
    server.put(leases, {
      metadata: { name: 'controller', namespace: 'gatehouse' },
      spec: { holderIdentity: 'other', leaseDurationSeconds: 1, renewTime },
    });
    const from = performance.now();
    const { election, changes } = start('a');
    await vi.waitFor(() => expect(changes).toEqual([true]), 5000);
    expect(performance.now() - from).toBeGreaterThan(timing.lease);
    expect(performance.now() - from).toBeLessThan(timing.lease + 500);
    expect(election.leads()).toBe(true);
  });

  it('ends for a leader that cannot renew before another one begins', async () => {
    const a = start('a');
    await vi.waitFor(() => expect(a.election.leads()).toBe(true));
    const both: boolean[] = [];
    const b = start('b');
    const watch = setInterval(() => both.push(a.election.leads() && b.election.leads()), 5);
    server.fault = ({ body }) =>
      (body as { spec?: { holderIdentity?: string } })?.spec?.holderIdentity === 'a'
        ? { status: 500, message: 'down' }
        : undefined;
    await vi.waitFor(() => expect(b.election.leads()).toBe(true), 5000);
    clearInterval(watch);
    expect(both).not.toContain(true);
    expect(a.changes).toEqual([true, false]);
    expect(a.lines).toContain('Cannot renew the Lease "gatehouse/controller": down');
    server.fault = () => undefined;
  });

  it('goes on after somebody wrote into or deleted the Lease', async () => {
    const a = start('a');
    await vi.waitFor(() => expect(a.election.leads()).toBe(true));
    server.put(leases, { ...lease()!, metadata: { ...lease()!.metadata, labels: { x: 'y' } } });
    const { renewTime } = spec();
    await vi.waitFor(() => expect(spec().renewTime).not.toBe(renewTime), 3000);
    server.remove(leases, 'controller', 'gatehouse');
    await vi.waitFor(() => expect(spec()?.holderIdentity).toBe('a'), 3000);
    expect(a.changes).toEqual([true]);
  });

  it('is lost to whoever took the Lease', async () => {
    const a = start('a');
    await vi.waitFor(() => expect(a.election.leads()).toBe(true));
    server.put(leases, {
      ...lease()!,
      spec: { holderIdentity: 'thief', leaseDurationSeconds: 1 },
    });
    await vi.waitFor(() => expect(a.changes).toEqual([true, false]));
    expect(a.lines.at(-1)).toBe('"a" does not lead any more: "thief" leads');
  });

  it('says which rights are missing', async () => {
    server.fault = () => ({ status: 403, message: 'forbidden' });
    const { lines } = start('a');
    await vi.waitFor(() => expect(lines[0]).toContain('grant "get", "create" and "update"'));
    await vi.waitFor(() => expect(server.seen.length).toBeGreaterThan(3));
    expect(lines).toHaveLength(1);
  });
});
