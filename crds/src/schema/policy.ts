import { defaults } from './defaults.ts';
import { expression, name, objectName } from './fields.ts';
import { array, boolean, object, oneOf, optional, type Static, type TSchema } from './schema.ts';

export const targetRefSchema = object(
  {
    kind: oneOf(['Gateway', 'Route'], { description: 'Kind of the target.' }),
    name: objectName('Name of the target, in the namespace of the policy.'),
    sectionName: optional(name('One listener of the Gateway, or one rule of the Route.')),
  },
  { description: 'What the policy applies to (GEP-713).' },
);

export type TargetRef = Static<typeof targetRefSchema>;

/**
 * The spec of a policy kind (GEP-713). `fields` are the kind's own, all optional; they are given
 * directly, under `defaults` or under `overrides`.
 */
export function policySpec<const P extends Record<string, TSchema>>(
  fields: P,
  description: string,
) {
  const names = Object.keys(fields);
  const direct = names.map((field) => `has(self.${field})`).join(' || ');
  return object(
    {
      targetRefs: array(targetRefSchema, {
        description: 'Targets; everything below a target is covered.',
        minItems: 1,
        maxItems: 16,
      }),
      when: optional(
        expression('The policy applies only to requests for which this holds; a bool.'),
      ),
      shadow: optional(
        boolean({
          description: 'Evaluate, count and log, but do not enforce.',
          default: defaults.policyShadow,
        }),
      ),
      ...fields,
      defaults: optional(
        object(fields, {
          description:
            'Rules that a policy on a more specific target replaces by a rule of the same name.',
        }),
      ),
      overrides: optional(
        object(fields, {
          description: 'Rules that no policy on a more specific target can replace.',
        }),
      ),
    },
    {
      description,
      rules: [
        {
          rule: `[${direct}, has(self.defaults), has(self.overrides)].filter(given, given).size() <= 1`,
          message: `${names.join(', ')} are given directly, under defaults or under overrides, in one place only`,
        },
      ],
    },
  );
}
