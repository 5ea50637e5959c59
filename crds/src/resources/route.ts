import { defaults } from '../schema/defaults.ts';
import {
  duration,
  headerEdits,
  headerMatch,
  hostname,
  name,
  namespace,
  objectName,
  port,
  queryMatch,
} from '../schema/fields.ts';
import { array, object, oneOf, optional, type Static, string } from '../schema/schema.ts';
import { retries } from './retries.ts';
import { backend, fallback, mirror, redirect, respond, rewrite } from './route-actions.ts';

const parentRef = object(
  {
    name: objectName('Name of the Gateway.'),
    namespace: optional(namespace('Namespace of the Gateway; that of the Route when left out.')),
    sectionName: optional(name('One listener of the Gateway; all of them when left out.')),
    port: optional(port('Only listeners on this port.')),
  },
  { description: 'A Gateway whose listeners serve the Route.' },
);

const pathMatch = object(
  {
    type: oneOf(['Exact', 'Prefix', 'Template', 'Regex'], {
      description:
        'Exact: the whole path. Prefix: whole segments, "/a" matches "/a" and "/a/b" but not "/ab". ' +
        'Template: the whole path, "{name}" stands for one segment. Regex: RE2, the whole path.',
    }),
    value: string({
      description:
        'What the path is compared with, e.g. "/users/{id}"; a normalised path unless it is a Regex.',
      minLength: 1,
      maxLength: 1024,
    }),
  },
  {
    description: 'A condition on the normalised path (RFC 3986 section 6.2.2), without the query.',
    rules: [
      {
        rule: "self.type == 'Regex' || self.value.startsWith('/')",
        message: 'value must start with "/"',
      },
    ],
  },
);

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

const match = object(
  {
    path: optional(pathMatch),
    methods: optional(
      array(oneOf(methods, { description: 'Request method.' }), {
        description: 'Any of these methods; every method when left out.',
        minItems: 1,
        maxItems: 8,
      }),
    ),
    headers: optional(
      array(headerMatch, { description: 'Conditions on headers, all must hold.', maxItems: 16 }),
    ),
    query: optional(
      array(queryMatch, {
        description: 'Conditions on query parameters, all must hold.',
        maxItems: 16,
      }),
    ),
  },
  { description: 'All given conditions must hold.' },
);

const timeouts = object(
  {
    request: optional(
      duration(
        'From the head of the request to the end of the response; "0s": no limit (GEP-1742).',
        defaults.requestTimeout,
      ),
    ),
    backendRequest: optional(
      duration(
        'From the end of the request to the head of the response, for each attempt; "0s": no limit.',
        defaults.backendRequestTimeout,
      ),
    ),
    idle: optional(
      duration('Silence in a body, either way; "0s": no limit.', defaults.idleTimeout),
    ),
  },
  { description: 'A request that exceeds one before the response has begun is answered with 504.' },
);

const upgrade = string({
  description:
    'A protocol as the Upgrade header names it, in lower case, e.g. "websocket". Not "h2c".',
  minLength: 1,
  maxLength: 32,
  pattern: "^[a-z0-9!#$%&'*+.^_`|~-]+(/[a-z0-9!#$%&'*+.^_`|~-]+)?$",
});

const rule = object(
  {
    name: name('Unique in the Route; policies and metrics refer to it.'),
    matches: optional(
      array(match, {
        description: 'The rule serves requests that fit any of these; every request when left out.',
        maxItems: 64,
      }),
    ),
    requestHeaders: optional(headerEdits('Changes to what the backend gets.')),
    responseHeaders: optional(headerEdits('Changes to what the client gets.')),
    rewrite: optional(rewrite),
    backends: optional(
      array(backend, {
        description: 'Action: forward, spread by weight.',
        minItems: 1,
        maxItems: 16,
      }),
    ),
    redirect: optional(redirect),
    respond: optional(respond),
    mirrors: optional(array(mirror, { description: 'Copies of requests.', maxItems: 4 })),
    timeouts: optional(timeouts),
    retries: optional(retries),
    fallback: optional(fallback),
    upgrades: optional(
      array(upgrade, {
        description:
          'Protocols to which a connection may switch (RFC 9110 section 7.8); none when left out.',
        minItems: 1,
        maxItems: 8,
      }),
    ),
  },
  {
    description: 'One way to serve some of the requests. Exactly one action.',
    rules: [
      { rule: '!has(self.retries) || has(self.backends)', message: 'retries go with backends' },
      { rule: '!has(self.fallback) || has(self.backends)', message: 'fallback goes with backends' },
      { rule: '!has(self.upgrades) || has(self.backends)', message: 'upgrades go with backends' },
      {
        rule: '[has(self.backends), has(self.redirect), has(self.respond)].filter(given, given).size() == 1',
        message: 'exactly one of backends, redirect and respond must be given',
      },
    ],
  },
);

export const routeSpec = object(
  {
    parentRefs: optional(
      array(parentRef, {
        description: 'Gateways that serve the Route; every Gateway of its namespace when left out.',
        maxItems: 32,
      }),
    ),
    hostnames: optional(
      array(hostname('A host, or "*.example.com" for every host below it.'), {
        description: 'Hosts the Route answers for; those of the listeners when left out.',
        maxItems: 64,
      }),
    ),
    rules: array(rule, {
      description: 'Rules. Their order has no meaning: the most specific match wins.',
      minItems: 1,
      maxItems: 1024,
      listMapKeys: ['name'],
    }),
  },
  { description: 'Which requests go where.' },
);

export type RouteSpec = Static<typeof routeSpec>;
export type Rule = RouteSpec['rules'][number];
