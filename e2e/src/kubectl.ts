import { execute, type Output, run } from '../cluster/execute.ts';

/** What kubectl needs to talk to a cluster. */
export type Access = { kubeconfig: string; kubectl: string };

export type Kubectl = {
  /** Runs kubectl, which must succeed, and returns what it printed. */
  (...args: string[]): Promise<string>;
  /** Runs kubectl; an exit code is an answer. */
  attempt(...args: string[]): Promise<Output>;
  /** The same with something on stdin. */
  attemptWith(input: string, ...args: string[]): Promise<Output>;
  /** `kubectl apply` of objects or of YAML text. */
  apply(what: object | string): Promise<string>;
  /** Like apply, when it may be refused. */
  attemptApply(what: object | string, ...args: string[]): Promise<Output>;
  /** `kubectl get`, parsed. */
  get<T>(...args: string[]): Promise<T>;
  /** The same kubectl in a namespace. */
  in(namespace: string): Kubectl;
};

export function kubectlOf(access: Access, namespace?: string): Kubectl {
  const flags = [
    '--kubeconfig',
    access.kubeconfig,
    ...(namespace === undefined ? [] : ['--namespace', namespace]),
  ];
  const kubectl = (...args: string[]) => run(access.kubectl, [...flags, ...args]);
  const attemptApply = (what: object | string, ...args: string[]) =>
    execute(access.kubectl, [...flags, 'apply', ...args, '--filename', '-'], {
      input: textOf(what),
    });
  return Object.assign(kubectl, {
    attempt: (...args: string[]) => execute(access.kubectl, [...flags, ...args]),
    attemptWith: (input: string, ...args: string[]) =>
      execute(access.kubectl, [...flags, ...args], { input }),
    attemptApply,
    async apply(what: object | string) {
      const { code, stdout, stderr } = await attemptApply(what);
      if (code !== 0) throw new Error(`Cannot apply: ${stderr.trim()}`);
      return stdout;
    },
    async get<T>(...args: string[]) {
      return JSON.parse(await kubectl('get', ...args, '--output=json')) as T;
    },
    in: (other: string) => kubectlOf(access, other),
  });
}

function textOf(what: object | string): string {
  if (typeof what === 'string') return what;
  return JSON.stringify(
    Array.isArray(what) ? { apiVersion: 'v1', kind: 'List', items: what } : what,
  );
}
