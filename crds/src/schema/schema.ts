import { type Static, type TSchema, Type } from 'typebox';

/** A CEL rule as the API server evaluates it (KEP-2876); the file provider evaluates the same text. */
export type CelRule = { rule: string; message: string };

/** Options every field carries: `description` becomes `kubectl explain` text and the reference page. */
export type FieldOptions = { description: string; rules?: CelRule[] };

function withRules<T extends { rules?: CelRule[] }>({ rules, ...rest }: T) {
  return rules ? { ...rest, 'x-kubernetes-validations': rules } : rest;
}

/** An object with exactly these fields. Unknown fields are mistakes, as structural schemas prune them. */
export function object<P extends Record<string, TSchema>>(properties: P, options: FieldOptions) {
  return Type.Object(properties, withRules(options));
}

/** An object whose other fields belong to somebody else (Kubernetes' own kinds). */
export function openObject<P extends Record<string, TSchema>>(
  properties: P,
  options: FieldOptions,
) {
  return Type.Object(properties, {
    ...withRules(options),
    'x-kubernetes-preserve-unknown-fields': true,
  });
}

export function array<T extends TSchema>(
  items: T,
  options: FieldOptions & { minItems?: number; maxItems: number; listMapKeys?: string[] },
) {
  const { listMapKeys, ...rest } = options;
  return Type.Array(items, {
    ...withRules(rest),
    ...(listMapKeys
      ? { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': listMapKeys }
      : {}),
  });
}

/** A string map; `maxProperties` bounds the cost of CEL rules. */
export function stringMap(options: FieldOptions & { maxProperties: number }) {
  return Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string', maxLength: 1_048_576 },
    ...withRules(options),
  });
}

/** A map of objects by name; the names are labels of RFC 1123. */
export function namedMap<T extends TSchema>(
  items: T,
  options: FieldOptions & { maxProperties: number },
) {
  const rule = `self.all(name, name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'))`;
  const message = 'names must be of lower-case letters, digits and inner "-", at most 63';
  return Type.Unsafe<Record<string, Static<T>>>({
    type: 'object',
    additionalProperties: items,
    ...withRules({ ...options, rules: [...(options.rules ?? []), { rule, message }] }),
  });
}

export function string(
  options: FieldOptions & {
    minLength?: number;
    maxLength: number;
    pattern?: string;
    default?: string;
    format?: string;
  },
) {
  return Type.String(withRules(options));
}

export function oneOf<const V extends readonly string[]>(
  values: V,
  options: FieldOptions & { default?: V[number] },
) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: values, ...withRules(options) });
}

export function integer(
  options: FieldOptions & { minimum: number; maximum: number; default?: number },
) {
  return Type.Integer({
    ...withRules(options),
    format: options.maximum > 2 ** 31 - 1 ? 'int64' : 'int32',
  });
}

export function boolean(options: FieldOptions & { default?: boolean }) {
  return Type.Boolean(withRules(options));
}

/** A field that may be left out. */
export const optional = Type.Optional;

export type { Static, TSchema };
