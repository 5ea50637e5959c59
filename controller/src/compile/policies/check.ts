import { create } from '@bufbuild/protobuf';
import {
  type ConsumerObject,
  checkExpression,
  faultsOf,
  type PolicyObject,
  type SecretObject,
  type TargetRef,
} from '@gatehouse/crds';
import {
  Kind,
  policySecretName,
  type Resource,
  resourceOf,
  SecretSchema,
} from '@gatehouse/snapshot';
import { createdAt, idOf, namespaceOf } from '../resources.ts';
import { entriesOf } from '../secret-entries.ts';
import type { BrokenRef, Mistake } from '../status.ts';
import type { PolicyContext } from './context.ts';
import type { CheckedPolicy, PolicyDefinition } from './policy.ts';

/** What policies of a namespace may refer to. */
export type PolicyLookup = {
  /** By name, in the namespace of the policy. */
  secret(name: string): SecretObject | undefined;
  consumers: readonly ConsumerObject[];
};

type Common<F> = {
  targetRefs: TargetRef[];
  when?: string;
  shadow?: boolean;
  defaults?: F;
  overrides?: F;
} & F;

/** Checks a policy by itself; what is wrong with it is in the result. */
export function checkPolicy<F extends object>(
  object: PolicyObject & { spec: Common<F> },
  definition: PolicyDefinition<F>,
  lookup: PolicyLookup,
): CheckedPolicy {
  const { spec } = object;
  const mistakes: Mistake[] = object.kind === 'AuthPolicy' ? faultsOf(object) : [];
  const broken: BrokenRef[] = [];
  const secrets = new Map<string, Resource>();
  const context = contextOf(object, lookup, { mistakes, broken, secrets });
  const [fields, path]: [F, string] = spec.overrides
    ? [spec.overrides, 'spec.overrides']
    : spec.defaults
      ? [spec.defaults, 'spec.defaults']
      : [spec, 'spec'];
  // Of a policy that is not valid only the targets are left: there are no rules to judge.
  const rules = mistakes.length > 0 ? [] : definition.rulesOf(fields, path, context);
  if (spec.when !== undefined) {
    context.expression(spec.when, 'bool', definition.whenScope, 'spec.when');
  }
  return {
    kind: definition.kind,
    failsClosed: definition.failsClosed,
    object,
    id: idOf(object),
    created: createdAt(object),
    targets: spec.targetRefs,
    when: spec.when ?? '',
    shadow: spec.shadow ?? false,
    overrides: spec.overrides !== undefined,
    excludedPaths: definition.excludedPaths(fields),
    rules,
    closing: definition.closing,
    guardedHeaders: definition.guardedHeaders(fields),
    mistakes,
    broken,
    secrets: [...secrets.values()],
  };
}

type Findings = { mistakes: Mistake[]; broken: BrokenRef[]; secrets: Map<string, Resource> };

function contextOf(
  object: PolicyObject,
  lookup: PolicyLookup,
  { mistakes, broken, secrets }: Findings,
): PolicyContext {
  const namespace = namespaceOf(object);
  const entries = (name: string, path: string) => {
    const secret = lookup.secret(name);
    if (secret) return entriesOf(secret);
    const reason = `Secret "${namespace}/${name}" does not exist: create it`;
    broken.push({ code: 'SecretNotFound', path, reason });
    return undefined;
  };
  const put = (resource: Resource) => secrets.set(resource.name, resource);
  return {
    namespace,
    policy: idOf(object),
    report: (path, reason) => mistakes.push({ path, reason }),
    secretEntries: entries,
    consumers: () => lookup.consumers,
    put,
    secretEntry({ name, key: given }, fallback, path) {
      const key = given ?? fallback;
      const all = entries(name, `${path}.name`);
      if (!all) return undefined;
      const value = all.get(key);
      if (value === undefined) {
        const reason = `Secret "${namespace}/${name}" has no entry "${key}": add it, or name another key`;
        broken.push({ code: 'SecretNotFound', path: `${path}.key`, reason });
        return undefined;
      }
      const message = create(SecretSchema, { type: 'Opaque', data: { [key]: value } });
      const resource = policySecretName(namespace, name, key);
      put(resourceOf(Kind.SECRET, resource, SecretSchema, message));
      return value;
    },
    expression(text, type, scope, path) {
      const problem = checkExpression(text, type, scope);
      if (!problem) return;
      const { line, column, message } = problem;
      mistakes.push({ path, reason: `line ${line}, column ${column}: ${message}` });
    },
  };
}
