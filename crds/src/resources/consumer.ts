import { objectName } from '../schema/fields.ts';
import { array, object, optional, type Static, string, stringMap } from '../schema/schema.ts';

export const consumerSpec = object(
  {
    username: optional(
      string({
        description: 'Id of the identity; the name of the Consumer when left out.',
        minLength: 1,
        maxLength: 253,
      }),
    ),
    plan: optional(
      string({ description: 'Plan, for limits by plan.', minLength: 1, maxLength: 63 }),
    ),
    roles: optional(
      array(string({ description: 'A role.', minLength: 1, maxLength: 253 }), {
        description: 'Roles of the identity.',
        maxItems: 32,
      }),
    ),
    attributes: optional(
      stringMap({ description: 'Further claims of the identity.', maxProperties: 32 }),
    ),
    apiKeys: optional(
      array(
        object(
          { name: objectName('Name of the Secret, in the namespace of the Consumer.') },
          { description: 'A Secret of which every entry is a key.' },
        ),
        { description: 'API keys.', maxItems: 16 },
      ),
    ),
  },
  { description: 'A client that is known by name: its keys and its plan.' },
);

export type ConsumerSpec = Static<typeof consumerSpec>;
