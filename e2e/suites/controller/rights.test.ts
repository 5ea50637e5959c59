import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answering, type Fleet, line, startFleet } from './fleet.ts';
import { chartRights, type Right, type Rights } from './rights.ts';

const host = 'shop.example.com';
let fleet: Fleet;
let rights: Rights;
let edits = 0;

beforeAll(async () => {
  fleet = await startFleet();
  rights = await chartRights(fleet);
  await fleet.startController({ kubeconfig: rights.kubeconfig });
  await serves();
});
afterAll(() => fleet?.stop());
afterEach(() => rights.restore());

/** Edits the Route and waits until that is served, and said so. */
async function serves(): Promise<void> {
  edits += 1;
  await fleet.kubectl.apply(answering('shop', host, `edit ${edits}`));
  await fleet.answers(host, `edit ${edits}`);
  await fleet.kubectl('wait', 'route/shop', '--for=condition=Programmed', '--timeout=60s');
}

const of = (group: string, resource: string) => (verb: string) => ({ verb, resource, group });
const routes = of('gatehouse.dev', 'routes');
const grant = ({ verb, resource, group }: Right) =>
  `grant the verb "${verb}" on the resource "${resource}" of the API group "${group}" to the controller`;

describe('a controller that lacks a right', () => {
  it.each<[string, Right, string]>(
    [
      routes('list'),
      routes('watch'),
      of('', 'services')('list'),
      of('gateway.networking.k8s.io', 'gatewayclasses')('list'),
      of('gateway.networking.k8s.io', 'referencegrants')('list'),
      of('gatehouse.dev', 'routes/status')('patch'),
      of('gateway.networking.k8s.io', 'gateways/status')('patch'),
    ].map((right) => [`${right.verb} ${right.resource}`, right, grant(right)]),
  )('%s says which, takes nothing away, and recovers', lacking);

  it.each<[string, Right, string]>([
    [
      'update leases',
      { verb: 'update', resource: 'leases', group: 'coordination.k8s.io' },
      'grant "get", "create" and "update" on "leases" of the API group "coordination.k8s.io"',
    ],
    [
      'create tokenreviews',
      { verb: 'create', resource: 'tokenreviews', group: 'authentication.k8s.io' },
      'grant "create" on "tokenreviews" of the API group "authentication.k8s.io"',
    ],
  ])('%s says which, takes nothing away, and recovers', lacking);

  async function lacking(_: string, right: Right, sentence: string): Promise<void> {
    await rights.revoke(right);
    const { log } = await fleet.startController({ kubeconfig: rights.kubeconfig });
    // Whatever it can do without the right it does; a status is written when there is a change.
    await fleet.kubectl.apply(answering(`r-${edits}`, 'other.example.com', ''));
    await line(log, sentence);
    expect(await fleet.ask(host)).toBe(`edit ${edits}`);
    await rights.restore();
    await serves();
  }
});
