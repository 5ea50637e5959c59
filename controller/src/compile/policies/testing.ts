import { create } from '@bufbuild/protobuf';
import { type ConsumerObject, compileExpression } from '@gatehouse/crds';
import {
  Kind,
  policySecretName,
  type Resource,
  resourceOf,
  SecretSchema,
} from '@gatehouse/snapshot';
import type { PolicyContext } from './context.ts';

/** What the policies of a test can refer to, in namespace "default". */
export type TestObjects = {
  /** Text entries by name of Secret. */
  secrets?: Record<string, Record<string, string | Uint8Array>>;
  consumers?: Record<string, ConsumerObject['spec']>;
};

/** What a check found. */
export type TestFindings = {
  /** "<path>: <reason>" */
  mistakes: string[];
  /** Paths of references that lead nowhere. */
  broken: string[];
  resources: Map<string, Resource>;
};

/** Runs a check against these objects. */
export function findingsOf(
  check: (context: PolicyContext) => void,
  { secrets = {}, consumers = {} }: TestObjects,
): TestFindings {
  const found: TestFindings = { mistakes: [], broken: [], resources: new Map() };
  const report = (path: string, reason: string) => found.mistakes.push(`${path}: ${reason}`);
  const put = (resource: Resource) => found.resources.set(resource.name, resource);
  const secretEntries = (name: string, path: string) => {
    const secret = secrets[name];
    if (!secret) {
      found.broken.push(path);
      return undefined;
    }
    return new Map(
      Object.entries(secret).map(([key, value]) => [key, new Uint8Array(Buffer.from(value))]),
    );
  };
  check({
    namespace: 'default',
    policy: 'default/policy',
    report,
    put,
    secretEntries,
    secretEntry({ name, key: given }, fallback, path) {
      const key = given ?? fallback;
      const value = secretEntries(name, `${path}.name`)?.get(key);
      if (value) {
        const message = create(SecretSchema, { data: { [key]: value } });
        put(resourceOf(Kind.SECRET, policySecretName('default', name, key), SecretSchema, message));
      } else if (secrets[name]) found.broken.push(`${path}.key`);
      return value;
    },
    consumers: () =>
      Object.entries(consumers).map(([name, spec]) => ({
        apiVersion: 'gatehouse.dev/v1alpha1',
        kind: 'Consumer',
        metadata: { name },
        spec,
      })),
    expression(text, type, scope, path) {
      try {
        compileExpression(text, type, scope);
      } catch (error) {
        report(path, String(error));
      }
    },
  });
  return found;
}
