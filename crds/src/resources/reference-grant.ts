import { objectName } from '../schema/fields.ts';
import { array, openObject, optional, type Static, string } from '../schema/schema.ts';

const groupAndKind = {
  group: string({ description: 'API group; empty for the core group.', maxLength: 253 }),
  kind: string({ description: 'Kind.', minLength: 1, maxLength: 63 }),
};

/** gateway.networking.k8s.io/v1beta1 ReferenceGrant, the fields that Gatehouse reads. */
export const referenceGrantSpec = openObject(
  {
    from: array(
      openObject(
        {
          ...groupAndKind,
          namespace: string({ description: 'Namespace.', minLength: 1, maxLength: 63 }),
        },
        { description: 'Who may refer.' },
      ),
      { description: 'Who may refer.', minItems: 1, maxItems: 16 },
    ),
    to: array(
      openObject(
        {
          ...groupAndKind,
          name: optional(objectName('One object; every object of the kind when left out.')),
        },
        { description: 'What may be referred to, in the namespace of the grant.' },
      ),
      { description: 'What may be referred to.', minItems: 1, maxItems: 16 },
    ),
  },
  { description: 'References that may enter the namespace.' },
);

export type ReferenceGrantSpec = Static<typeof referenceGrantSpec>;
