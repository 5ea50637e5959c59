import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, inject } from 'vitest';
import type { Installed } from './gatehouse.ts';
import { type Kubectl, kubectlOf } from './kubectl.ts';

export type Suite = {
  cluster: Installed;
  /** kubectl in a namespace that only this suite has. */
  kubectl: Kubectl;
  namespace: string;
  /** A host below which only Routes of this suite are. */
  domain: string;
};

/** Gives the tests of a file a namespace, which is deleted after them. */
export function suite(name: string): Suite {
  const cluster = inject('cluster');
  const namespace = `${name}-${randomBytes(3).toString('hex')}`;
  const kubectl = kubectlOf(cluster, namespace);
  beforeAll(() => kubectl('create', 'namespace', namespace));
  afterAll(() => kubectl('delete', 'namespace', namespace, '--wait=false'));
  return { cluster, kubectl, namespace, domain: `${namespace}.example.com` };
}
