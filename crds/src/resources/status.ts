import { port } from '../schema/fields.ts';
import { array, integer, object, oneOf, optional, type Static, string } from '../schema/schema.ts';

/** metav1.Condition, with the limits that the API server puts on it. */
const condition = object(
  {
    type: string({
      description: 'Accepted, ResolvedRefs or Programmed.',
      minLength: 1,
      maxLength: 316,
    }),
    status: oneOf(['True', 'False', 'Unknown'], { description: 'Whether the condition holds.' }),
    observedGeneration: optional(
      integer({
        description: 'The metadata.generation that the condition speaks of.',
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
      }),
    ),
    lastTransitionTime: string({
      description: 'When status changed last.',
      maxLength: 64,
      format: 'date-time',
    }),
    reason: string({
      description: 'Why, in one CamelCase word.',
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    message: string({
      description: 'Why, for people: fields with mistakes, or how many data planes acknowledged.',
      maxLength: 32768,
    }),
  },
  { description: 'One aspect of the state.' },
);

const conditions = array(condition, {
  description:
    'Accepted: the object makes sense. ResolvedRefs: all that it refers to exists. ' +
    'Programmed: every data plane serves it.',
  maxItems: 16,
  listMapKeys: ['type'],
});

const text = (description: string) => string({ description, maxLength: 253 });

const parent = object(
  {
    parentRef: object(
      {
        group: optional(text('Group of the Gateway.')),
        kind: optional(text('Kind of the Gateway.')),
        namespace: optional(text('Namespace of the Gateway.')),
        name: text('Name of the Gateway.'),
        sectionName: optional(text('One listener of it.')),
        port: optional(port('Only listeners on this port.')),
      },
      { description: 'The Gateway, as in spec.parentRefs.' },
    ),
    controllerName: optional(text('Controller that wrote this.')),
    conditions: optional(conditions),
  },
  { description: 'What became of the Route at one Gateway (Gateway API, RouteParentStatus).' },
);

const ancestor = object(
  {
    ancestorRef: object(
      {
        group: optional(text('Group of the target.')),
        kind: optional(text('Kind of the target.')),
        namespace: optional(text('Namespace of the target.')),
        name: text('Name of the target.'),
        sectionName: optional(text('One listener or rule of it.')),
      },
      { description: 'The target, as in spec.targetRefs.' },
    ),
    controllerName: optional(text('Controller that wrote this.')),
    conditions: optional(conditions),
  },
  { description: 'What became of the policy at one target (GEP-713, PolicyAncestorStatus).' },
);

const effectiveRule = object(
  {
    name: text('Kind and name of the rule, e.g. "authentication/users".'),
    from: text('Namespace and name of the policy that it comes from.'),
    overrides: optional(
      array(text('Namespace and name of a policy.'), {
        description: 'Policies whose rule of this name it replaces.',
        maxItems: 16,
      }),
    ),
  },
  { description: 'A rule in force.' },
);

const effective = object(
  {
    target: text('Kind, namespace, name and section of a target.'),
    rules: array(effectiveRule, { description: 'Rules in force there.', maxItems: 128 }),
  },
  { description: 'What is in force at a target, and where it comes from.' },
);

export const policyStatus = object(
  {
    conditions: optional(conditions),
    ancestors: optional(
      array(ancestor, { description: 'What became of the policy at each target.', maxItems: 16 }),
    ),
    effective: optional(
      array(effective, { description: 'Rules in force at each target.', maxItems: 16 }),
    ),
  },
  { description: 'Written by Gatehouse.' },
);

export const upstreamStatus = object(
  { conditions: optional(conditions) },
  { description: 'Written by Gatehouse.' },
);

export const routeStatus = object(
  {
    conditions: optional(conditions),
    parents: optional(
      array(parent, { description: 'What became of the Route at each Gateway.', maxItems: 64 }),
    ),
  },
  { description: 'Written by Gatehouse.' },
);

/** As it is written to the API server. */
export type RouteStatus = Static<typeof routeStatus>;
export type PolicyStatus = Static<typeof policyStatus>;
export type UpstreamStatus = Static<typeof upstreamStatus>;
