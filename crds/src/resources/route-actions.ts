import { defaults } from '../schema/defaults.ts';
import {
  headerEdits,
  headerName,
  headerValue,
  hostname,
  namespace,
  objectName,
  pathPattern,
  port,
} from '../schema/fields.ts';
import { array, boolean, integer, object, oneOf, optional, string } from '../schema/schema.ts';

export const rewrite = object(
  {
    stripPrefix: optional(
      boolean({
        description:
          'Cut the matched prefix off the path: "/api/orders/7" matched by "/api/orders" becomes "/7". ' +
          'Every match of the rule must be a Prefix.',
      }),
    ),
    prefix: optional(
      string({
        description: 'Replaces the matched prefix. Every match of the rule must be a Prefix.',
        maxLength: 1024,
        pattern: pathPattern,
      }),
    ),
    path: optional(
      string({
        description:
          'Replaces the whole path; "{name}" stands for a variable of the Template match.',
        maxLength: 1024,
        pattern: pathPattern,
      }),
    ),
    host: optional(hostname('Replaces the Host that the backend sees; no wildcard.')),
  },
  {
    description: 'What the backend sees instead of the path and host of the client.',
    rules: [
      {
        rule: '[has(self.stripPrefix) && self.stripPrefix, has(self.prefix), has(self.path)].filter(given, given).size() <= 1',
        message: 'at most one of stripPrefix, prefix and path may be given',
      },
      {
        rule: "!has(self.host) || !self.host.startsWith('*')",
        message: 'host must not be a wildcard',
      },
    ],
  },
);

const backendRefFields = {
  kind: optional(
    oneOf(['Service', 'Upstream'], {
      description: 'Kind of the backend.',
      default: defaults.backendKind,
    }),
  ),
  name: objectName('Name of the Service or Upstream.'),
  namespace: optional(namespace('Namespace of the backend; that of the Route when left out.')),
  port: optional(port('Port of the Service; needed unless the Service has just one.')),
};

export const backend = object(
  {
    ...backendRefFields,
    weight: optional(
      integer({
        description: 'Share of the requests, relative to the sum of the weights. 0: none.',
        minimum: 0,
        maximum: 1_000_000,
        default: defaults.backendWeight,
      }),
    ),
    requestHeaders: optional(headerEdits('Changes to the request for this backend only.')),
    responseHeaders: optional(headerEdits('Changes to the response of this backend only.')),
  },
  { description: 'Where requests go.' },
);

export const redirect = object(
  {
    scheme: optional(
      oneOf(['http', 'https'], { description: 'That of the request when left out.' }),
    ),
    host: optional(hostname('That of the request when left out; no wildcard.')),
    port: optional(
      port('The well-known port of the scheme, or that of the request, when left out.'),
    ),
    path: optional(
      string({ description: 'Replaces the whole path.', maxLength: 1024, pattern: pathPattern }),
    ),
    prefix: optional(
      string({
        description: 'Replaces the matched prefix. Every match of the rule must be a Prefix.',
        maxLength: 1024,
        pattern: pathPattern,
      }),
    ),
    status: optional(
      integer({
        description: '301, 302, 303, 307 or 308.',
        minimum: 301,
        maximum: 308,
        default: defaults.redirectStatus,
        rules: [
          {
            rule: 'self in [301, 302, 303, 307, 308]',
            message: 'must be 301, 302, 303, 307 or 308',
          },
        ],
      }),
    ),
  },
  {
    description: 'Answers with a Location (RFC 9110 section 15.4).',
    rules: [
      { rule: '!(has(self.path) && has(self.prefix))', message: 'give path or prefix, not both' },
    ],
  },
);

export const respond = object(
  {
    status: integer({ description: 'Status code.', minimum: 200, maximum: 599 }),
    body: optional(string({ description: 'Body, UTF-8.', maxLength: 65536 })),
    contentType: optional(headerValue('Content-Type.', defaults.respondContentType)),
    headers: optional(
      array(
        object(
          { name: headerName('Name.'), value: headerValue('Value.') },
          { description: 'A response header.' },
        ),
        { description: 'More headers.', maxItems: 32 },
      ),
    ),
  },
  { description: 'Answers without asking a backend.' },
);

export const mirror = object(
  {
    ...backendRefFields,
    percent: optional(
      integer({
        description: 'Share of the requests that are copied.',
        minimum: 0,
        maximum: 100,
        default: defaults.mirrorPercent,
      }),
    ),
  },
  { description: 'A backend that gets a copy of requests; its answers are thrown away.' },
);

const fallbackBackend = object(backendRefFields, {
  description: 'Another backend; it has no fallback of its own.',
});

export const fallback = object(
  { backend: optional(fallbackBackend), respond: optional(respond) },
  {
    description:
      'Answers when the backend is not asked: its circuit breaker is open, it is at a limit, or no ' +
      'endpoint is in service.',
    rules: [
      {
        rule: 'has(self.backend) != has(self.respond)',
        message: 'exactly one of backend and respond must be given',
      },
    ],
  },
);
