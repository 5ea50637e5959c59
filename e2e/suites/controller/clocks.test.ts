import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { clockOff } from '../../src/clock.ts';
import { figure, secondsSince } from '../../src/figures.ts';
import { answering, type Fleet, startFleet } from './fleet.ts';
import { type Replica, startReplica } from './replica.ts';

const lease = 'gatehouse-controller-leader';
let fleet: Fleet;
let edits = 0;

beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet?.stop());

type Lease = { spec: { holderIdentity?: string; leaseTransitions?: number } };
const read = async () => (await fleet.kubectl.get<Lease>('lease', lease)).spec;
const holder = (name: string) =>
  waitFor(`"${name}" to lead`, async () => (await read()).holderIdentity === name);

async function serves(): Promise<void> {
  edits += 1;
  await fleet.kubectl.apply(answering('shop', 'shop.example.com', `edit ${edits}`));
  await fleet.answers('shop.example.com', `edit ${edits}`);
  await fleet.kubectl('wait', 'route/shop', '--for=condition=Programmed', '--timeout=60s');
}

describe('controllers whose clocks are two hours apart', () => {
  let other: Replica | undefined;
  afterEach(async () => {
    await other?.stop();
    await fleet.kubectl('delete', 'lease', '--all');
  });

  it.each([
    ['ahead', 1, -1],
    ['behind', -1, 1],
  ])('have one leader, which is %s, and the other one follows it', async (_, first, second) => {
    const leading = await fleet.startController({ environment: await clockOff(first) });
    await holder('c-1');
    other = await startReplica('c-2', {
      kubeconfig: fleet.controlPlane.kubeconfig,
      folder: fleet.folder,
      environment: await clockOff(second),
    });
    const before = await read();
    // Longer than a Lease lasts: whoever believed the times in it would take it now.
    await pause(12_000);
    const { holderIdentity, leaseTransitions } = await read();
    expect({ holderIdentity, leaseTransitions }).toEqual({
      holderIdentity: 'c-1',
      leaseTransitions: before.leaseTransitions,
    });
    await serves();
    const began = performance.now();
    await leading.stop('SIGKILL');
    await holder('c-2');
    const name = `fail-over to a controller whose clock is ${second > 0 ? 'ahead' : 'behind'}`;
    figure({ name, value: secondsSince(began), unit: 's', most: 15 });
  });
});

describe('a controller and a data plane whose clocks are an hour apart', () => {
  it.each([1, -1])('serve, with the controller %i h off', async (hours) => {
    await fleet.startController({ environment: await clockOff(hours) });
    await serves();
  });
});
