import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figure, secondsSince } from '../../src/figures.ts';
import { kubectlOf } from '../../src/kubectl.ts';
import { answering, type Fleet, startFleet } from './fleet.ts';

/** What clients get, where namespaces.test.ts looks at what statuses say. */
let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  await fleet.startController();
});
afterAll(() => fleet?.stop());

describe('a namespace that is deleted under its Routes', () => {
  it('takes its Routes along and no others', async () => {
    const team = kubectlOf(fleet.controlPlane, 'team');
    await team('create', 'namespace', 'team');
    const theirs = ['a', 'b', 'c'].map((name) =>
      answering(name, `${name}.team.example.com`, `of ${name}`),
    );
    await team.apply(theirs);
    await fleet.kubectl.apply(answering('ours', 'ours.example.com', 'ours'));
    for (const name of ['a', 'b', 'c'])
      await fleet.answers(`${name}.team.example.com`, `of ${name}`);
    await fleet.answers('ours.example.com', 'ours');
    await team('delete', 'namespace', 'team', '--timeout=60s');
    for (const name of ['a', 'b', 'c']) await fleet.answers(`${name}.team.example.com`, '404');
    expect(await fleet.ask('ours.example.com')).toBe('ours');
    // Made anew it is like any other.
    await team('create', 'namespace', 'team');
    await team.apply(theirs);
    await fleet.answers('a.team.example.com', 'of a');
  });
});

/** Kept out of an annotation of kubectl, which has a limit of its own. */
const apply = (object: object) =>
  fleet.kubectl.attemptApply(object, '--server-side', '--force-conflicts');

const ruled = (name: string, rules: object[]) => ({
  ...answering(name, `${name}.example.com`, ''),
  spec: { hostnames: [`${name}.example.com`], rules },
});
const exact = (value: string) => [{ path: { type: 'Exact', value } }];

describe('a Route with 1,000 rules', () => {
  it('is programmed, every rule of it', async () => {
    const rules = (text: string) =>
      Array.from({ length: 1000 }, (_, i) => ({
        name: `rule-${i}`,
        matches: exact(`/${i}`),
        respond: { status: 200, body: `${text} ${i}` },
      }));
    for (const text of ['first', 'second']) {
      expect(await apply(ruled('many', rules(text)))).toMatchObject({ code: 0 });
      const began = performance.now();
      await fleet.kubectl('wait', 'route/many', '--for=condition=Programmed', '--timeout=60s');
      const value = secondsSince(began);
      figure({
        name: `a Route with 1,000 rules, ${text} version: programmed after`,
        value,
        unit: 's',
      });
      for (const i of [0, 499, 999])
        expect(await fleet.ask('many.example.com', `/${i}`)).toBe(`${text} ${i}`);
    }
    expect(await fleet.ask('many.example.com', '/1000')).toBe('404');
  });
});

describe('a Route beyond the size limit of the API server', () => {
  it('is refused, and its last version is served on', async () => {
    const rules = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        name: `rule-${i}`,
        matches: exact(`/${i}`),
        respond: { status: 200, body: 'x'.repeat(65_536) },
      }));
    expect(await apply(ruled('large', rules(20)))).toMatchObject({ code: 0 });
    await fleet.kubectl('wait', 'route/large', '--for=condition=Programmed', '--timeout=60s');
    const { code, stderr } = await apply(ruled('large', rules(32)));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/too large|larger than/);
    expect((await fleet.ask('large.example.com', '/19')).length).toBe(65_536);
  });
});
