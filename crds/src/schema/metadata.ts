import { labelPattern, subdomainPattern } from './fields.ts';
import { integer, openObject, optional, string, stringMap } from './schema.ts';

const setByServer = { description: 'Set by the API server.', maxLength: 64 };

/** The part of ObjectMeta that Gatehouse reads. */
export const metadata = openObject(
  {
    name: string({
      description: 'Name of the object.',
      minLength: 1,
      maxLength: 253,
      pattern: subdomainPattern,
    }),
    namespace: optional(
      string({
        description: 'Namespace; "default" when left out.',
        minLength: 1,
        maxLength: 63,
        pattern: labelPattern,
      }),
    ),
    labels: optional(stringMap({ description: 'Labels.', maxProperties: 256 })),
    annotations: optional(stringMap({ description: 'Annotations.', maxProperties: 256 })),
    creationTimestamp: optional(string({ ...setByServer, format: 'date-time' })),
    generation: optional(
      integer({ description: 'Set by the API server.', minimum: 0, maximum: 2 ** 53 - 1 }),
    ),
    uid: optional(string(setByServer)),
    resourceVersion: optional(string(setByServer)),
  },
  { description: 'Standard object metadata.' },
);
