import { openObject, optional, type Static, string, stringMap } from '../schema/schema.ts';

/** v1 Secret, the fields that Gatehouse reads (they have no spec). */
export const secretFields = {
  type: optional(string({ description: 'Type; "Opaque" when left out.', maxLength: 253 })),
  data: optional(stringMap({ description: 'Values in base64.', maxProperties: 256 })),
  stringData: optional(stringMap({ description: 'Values as text.', maxProperties: 256 })),
};

const secret = openObject(secretFields, { description: 'A Secret.' });
export type SecretFields = Static<typeof secret>;
