import { type Compiled, compile } from './compile/index.ts';
import { loadFolder, printProblem } from './providers/file/index.ts';
import { resourcesOf } from './resources-of.ts';
import { createStore } from './store/store.ts';

/** A folder as it would be served, with everything that is wrong in it, a sentence each. */
export type CompiledFolder = {
  objects: number;
  mistakes: string[];
  compiled: Compiled;
};

/**
 * Compiles a folder of resources once. Mistakes are those of files, schemas and rules with their place,
 * then what only compiling shows (references, regular expressions, conflicts).
 */
export async function compileFolder(folder: string): Promise<CompiledFolder> {
  const { objects, problems } = await loadFolder(folder);
  const store = createStore();
  store.apply({ put: objects });
  const compiled = compile(resourcesOf(store));
  const { statuses } = compiled;
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
    compiled,
  };
}

/** The mistakes of `compileFolder`, and how many objects there are. */
export async function checkFolder(
  folder: string,
): Promise<{ objects: number; mistakes: string[] }> {
  const { objects, mistakes } = await compileFolder(folder);
  return { objects, mistakes };
}
