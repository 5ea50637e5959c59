import type { CelRule } from './schema.ts';

/** A node of a structural schema, as plain JSON: what TypeBox builds and what a CRD carries. */
export type SchemaNode = {
  type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  description?: string;
  default?: unknown;
  format?: string;
  enum?: readonly string[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  items?: SchemaNode;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode;
  required?: readonly string[];
  'x-kubernetes-validations'?: readonly CelRule[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-list-type'?: 'map';
  'x-kubernetes-list-map-keys'?: readonly string[];
};

/** The plain view of a schema that was built with schema.ts. */
export function nodeOf(schema: unknown): SchemaNode {
  return schema as SchemaNode;
}
