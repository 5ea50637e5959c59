import type { ExternalMethod } from '@gatehouse/crds';
import { expect, it } from 'vitest';
import { findingsOf } from '../testing.ts';
import { checkExternal } from './external.ts';

const path = 'spec.authentication[0].external';
const url = 'http://authz.test/check';
const check = (config: Partial<ExternalMethod>) =>
  findingsOf((context) => checkExternal({ url, ...config }, path, context), {}).mistakes;

it.each<[string, Partial<ExternalMethod>]>([
  [
    'over HTTP',
    { requestHeaders: ['Authorization'], upstreamHeaders: ['X-User', 'Authorization'] },
  ],
  [
    'over gRPC',
    { protocol: 'GRPC', upstreamHeaders: ['x-user'], failureMode: 'Open', timeout: '2s' },
  ],
])('takes a good service %s', (_, config) => {
  expect(check(config)).toEqual([]);
});

it.each<[string, Partial<ExternalMethod>, string[]]>([
  ['a URL that is none', { url: 'http://a:b/' }, [`${path}.url: "http://a:b/" is not a URL`]],
  [
    'a query',
    { url: 'http://a/?b' },
    [`${path}.url: has a query, which has no place before the path of the request`],
  ],
  [
    'headers of gRPC',
    { protocol: 'GRPC', requestHeaders: ['a'] },
    [`${path}.requestHeaders: goes with protocol HTTP: with GRPC all are sent`],
  ],
  [
    'headers of the connection',
    { upstreamHeaders: ['x', 'Content-Length'] },
    [expect.stringContaining(`${path}.upstreamHeaders[1]: "Content-Length" belongs to`) as never],
  ],
  [
    'headers of the gateway',
    { requestHeaders: ['X-Forwarded-For'], upstreamHeaders: ['X-Request-Id'] },
    [
      `${path}.requestHeaders[0]: "X-Forwarded-For" is set by the gateway itself`,
      `${path}.upstreamHeaders[0]: "X-Request-Id" is set by the gateway itself`,
    ],
  ],
  [
    'a header twice',
    { upstreamHeaders: ['x-a', 'X-A'] },
    [`${path}.upstreamHeaders[1]: "X-A" is given twice`],
  ],
  [
    'no time',
    { timeout: '0s' },
    [expect.stringContaining(`${path}.timeout: must be longer`) as never],
  ],
])('reports %s', (_, config, mistakes) => {
  expect(check(config)).toEqual(mistakes);
});
