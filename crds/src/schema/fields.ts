import { defaults } from './defaults.ts';
import { array, integer, object, oneOf, optional, string } from './schema.ts';

/** RFC 1123 label, as Kubernetes uses it. */
export const labelPattern = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
/** RFC 1123 subdomain: labels joined by dots. */
export const subdomainPattern =
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
export const hostnamePattern = `^(\\*\\.)?${subdomainPattern.slice(1)}`;
/** RFC 9110 section 5.6.2 token. */
export const tokenPattern = "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$";
/** RFC 9110 section 5.5: visible characters, spaces and tabs; no line breaks. */
export const fieldValuePattern = '^[\\t\\x20-\\x7e]*$';
/** A GEP-2257 duration such as "30s", "1m30s" or "250ms". */
export const durationPattern = '^([0-9]{1,5}(h|m|s|ms)){1,4}$';
export const pathPattern = '^/[^?#\\x00-\\x20\\x7f]*$';
/** RFC 6265 section 4.1.1, path-value, without spaces. */
export const cookiePathPattern = '^/[!-:<-~]*$';
export const addressPattern = '^[0-9a-fA-F.:]+$';
/** An address with or without the length of a prefix (RFC 4632, RFC 4291). */
export const cidrPattern = '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$';
export const urlPattern = '^https?://[^/?#@\\s]+(/[^?#\\s]*)?(\\?[^#\\s]*)?$';
export const originPattern = '^https?://[^/?#@\\s]+$';
/** RFC 1035 section 2.3.1, with the "_" of RFC 2782. */
export const domainNamePattern =
  '^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\\.?$';
export const nameServerPattern =
  '^[0-9.]+(:[0-9]{1,5})?$|^[0-9a-fA-F.:]+$|^\\[[0-9a-fA-F.:]+\\](:[0-9]{1,5})?$';
export const wordPattern = '^[^\\s\\x00-\\x1f\\x7f]+$';

/** What the patterns ask for, in words, for messages and the reference. */
export const patternWords: ReadonlyMap<string, string> = new Map([
  [labelPattern, 'lower-case letters, digits and inner "-"'],
  [subdomainPattern, 'lower-case letters, digits and inner "-" and "."'],
  [hostnamePattern, 'a lower-case host name such as "shop.example.com" or "*.example.com"'],
  [tokenPattern, 'a token without spaces or separators (RFC 9110)'],
  [fieldValuePattern, 'visible ASCII characters, spaces and tabs'],
  [durationPattern, 'a duration such as "30s", "1m30s" or "250ms"'],
  [pathPattern, 'a path that starts with "/", without query, fragment, spaces or controls'],
  [cookiePathPattern, 'a path of visible ASCII characters without ";"'],
  [addressPattern, 'an IPv4 or IPv6 address'],
  [cidrPattern, 'an IPv4 or IPv6 address or range such as "10.0.0.0/8"'],
  [urlPattern, 'an http or https URL without user or fragment'],
  [originPattern, 'an http or https URL without user, path or query'],
  [domainNamePattern, 'a domain name'],
  [nameServerPattern, 'an IP address, with a port or without'],
  [wordPattern, 'a text without spaces'],
]);

export const name = (description: string) =>
  string({ description, minLength: 1, maxLength: 63, pattern: labelPattern });

export const objectName = (description: string) =>
  string({ description, minLength: 1, maxLength: 253 });

export const namespace = (description: string) =>
  string({ description, minLength: 1, maxLength: 63, pattern: labelPattern });

export const port = (description: string) => integer({ description, minimum: 1, maximum: 65535 });

export const duration = (description: string, fallback?: string) =>
  string({
    description,
    maxLength: 32,
    pattern: durationPattern,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

export const url = (description: string) =>
  string({ description, minLength: 8, maxLength: 2048, pattern: urlPattern });

export const path = (description: string, fallback?: string) =>
  string({
    description,
    minLength: 1,
    maxLength: 1024,
    pattern: pathPattern,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

/** CEL text; what it may speak of is said in docs/guide/expressions.md. */
export const expression = (description: string) =>
  string({ description, minLength: 1, maxLength: 4096 });

/** One entry of a Secret in the namespace of the object. */
export const secretKeyRef = (description: string, key: string) =>
  object(
    {
      name: objectName('Name of the Secret, in the namespace of the object.'),
      key: optional(
        string({
          description: 'Entry of the Secret.',
          minLength: 1,
          maxLength: 253,
          default: key,
        }),
      ),
    },
    { description },
  );

export const hostname = (description: string) =>
  string({
    description,
    minLength: 1,
    maxLength: 253,
    pattern: hostnamePattern,
  });

export const headerName = (description: string) =>
  string({ description, minLength: 1, maxLength: 256, pattern: tokenPattern });

export const headerValue = (description: string, fallback?: string) =>
  string({
    description,
    maxLength: 4096,
    pattern: fieldValuePattern,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

const header = (description: string) =>
  object(
    { name: headerName('Name, any case.'), value: headerValue('Value, sent as it is.') },
    { description },
  );

/** Changes to header fields. Order: remove, set, add. */
export const headerEdits = (description: string) =>
  object(
    {
      add: optional(
        array(header('A field line to append.'), {
          description: 'Field lines to append to those that are there.',
          maxItems: 32,
        }),
      ),
      set: optional(
        array(header('A field to replace.'), {
          description: 'Fields to replace, or to add where they are missing.',
          maxItems: 32,
          listMapKeys: ['name'],
        }),
      ),
      remove: optional(
        array(headerName('Name of a field to drop.'), {
          description: 'Fields to drop.',
          maxItems: 32,
        }),
      ),
    },
    { description },
  );

const valueMatch = (what: string, nameSchema: ReturnType<typeof string>) =>
  object(
    {
      name: nameSchema,
      type: optional(
        oneOf(['Exact', 'Regex', 'Present'], {
          description: 'Exact: equal. Regex: the whole value matches. Present: any value.',
          default: defaults.valueMatchType,
        }),
      ),
      value: optional(
        string({ description: 'Value or RE2 expression; left out for Present.', maxLength: 4096 }),
      ),
    },
    {
      description: `A condition on one ${what}.`,
      rules: [
        {
          rule: "(has(self.type) && self.type == 'Present') != has(self.value)",
          message: 'value is needed for Exact and Regex, and must be left out for Present',
        },
      ],
    },
  );

export const headerMatch = valueMatch('header', headerName('Header name, any case.'));
export const queryMatch = valueMatch(
  'query parameter',
  string({ description: 'Parameter name, case-sensitive.', minLength: 1, maxLength: 256 }),
);
