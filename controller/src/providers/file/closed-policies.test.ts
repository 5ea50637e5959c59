import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsOf } from '@gatehouse/crds';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createStore } from '../../store/store.ts';
import { loadFolder, printProblem, watchFolder } from './index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policies-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const policy = (more: string, targets = '[{ kind: Gateway, name: web }]') =>
  `apiVersion: gatehouse.dev/v1alpha1\nkind: AuthPolicy\nmetadata: { name: users }\nspec:\n  targetRefs: ${targets}\n${more}`;
const sound = policy('  authentication: [{ name: all, anonymous: {} }]\n');
const unsound = policy('  authentification: [{ name: all, anonymous: {} }]\n');

const write = (text: string) => writeFile(join(folder, 'policy.yaml'), text);

it.each([
  ['an unknown field', unsound, 'spec.authentification'],
  ['a wrong type', policy('  authentication: anonymous\n'), 'spec.authentication'],
  ['no method', policy('  authentication: [{ name: all }]\n'), 'spec.authentication[0]'],
  [
    'one bad target',
    policy('', '[{ kind: Gateway, name: web }, { kind: Pod, name: web }]'),
    'spec.targetRefs[1].kind',
  ],
])('a policy with %s keeps its sound targets, without rules', async (_, text, path) => {
  await write(text);
  const { objects, problems } = await loadFolder(folder);
  expect(problems.map(printProblem)).toEqual([
    expect.stringMatching(/\(its targets answer 500 until it is mended\)$/),
  ]);
  expect(objects).toMatchObject([
    { kind: 'AuthPolicy', spec: { targetRefs: [{ kind: 'Gateway', name: 'web' }] } },
  ]);
  const [object] = objects;
  expect(object?.kind === 'AuthPolicy' && faultsOf(object)[0]?.path).toBe(path);
});

it('a policy without any sound target protects nothing', async () => {
  await write(policy('', '[]'));
  expect((await loadFolder(folder)).objects).toEqual([]);
});

it('the last good version of a policy stays, a closed one is mended and unmended', async () => {
  const store = createStore();
  await write(unsound);
  const watch = await watchFolder({ folder, store, onProblems: () => undefined });
  const inUse = () => store.list('AuthPolicy').map((object) => faultsOf(object).length > 0);
  expect(inUse()).toEqual([true]);
  await write(policy('  shadow: maybe\n'));
  await watch.reload();
  expect(store.list('AuthPolicy').flatMap(faultsOf)).toMatchObject([{ path: 'spec.shadow' }]);
  await write(sound);
  await watch.reload();
  expect(inUse()).toEqual([false]);
  await write(unsound);
  await watch.reload();
  expect(inUse()).toEqual([false]);
  await watch.close();
});
