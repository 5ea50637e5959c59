import { compile } from './compile/index.ts';
import { loadFolder, printProblem } from './providers/file/index.ts';
import { resourcesOf } from './resources-of.ts';
import { createStore } from './store/store.ts';

/**
 * Everything that is wrong in a folder of resources, a sentence each: files, schemas and rules with
 * their place, then what only compiling shows (references, regular expressions, conflicts).
 */
export async function checkFolder(
  folder: string,
): Promise<{ objects: number; mistakes: string[] }> {
  const { objects, problems } = await loadFolder(folder);
  const store = createStore();
  store.apply({ put: objects });
  const { statuses } = compile(resourcesOf(store));
  const conditions = statuses.flatMap(
    ({ kind, namespace, name, conditions: all, listeners = [] }) =>
      [...all, ...listeners.flatMap((listener) => listener.conditions)]
        .filter(({ type, status, reason }) =>
          type === 'Conflicted'
            ? status === 'True'
            : status === 'False' || reason === 'PartiallyInvalid',
        )
        .map(({ reason, message }) => `${kind} ${namespace}/${name}: ${reason}: ${message}`),
  );
  return {
    objects: objects.length,
    mistakes: [...problems.map(printProblem), ...new Set(conditions)],
  };
}
