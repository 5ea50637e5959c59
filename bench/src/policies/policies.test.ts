import { expect, test } from 'vitest';
import type { Terms } from '../scenario.ts';
import { envoyJwt, envoyLimit, envoyPolicies } from './envoy.ts';
import { gatehouseJwt, gatehousePolicies } from './gatehouse.ts';
import { haproxyJwt, haproxyLimit, haproxyPolicies } from './haproxy.ts';
import { nginxLimit } from './nginx.ts';

const terms: Terms = {
  lot: {
    file: '/tokens.txt',
    spare: 'a.b.c',
    publicKeyFile: '/public.pem',
    jwks: '{"keys":[]}',
    forgeries: new Map(),
  },
  limit: 77,
};

test('haproxy checks signature and exp before it counts', () => {
  const text = haproxyPolicies(terms);
  expect(text).toContain('jwt_verify("RS256","/public.pem") 1');
  expect(text).toContain("jwt_payload_query('$.exp','int')");
  expect(text.indexOf('jwt_verify')).toBeLessThan(text.indexOf('track-sc0'));
  expect(text).toContain('log stdout');
  expect(haproxyJwt(terms)).not.toContain('log stdout');
  expect(haproxyLimit(terms)).toContain('sc_http_req_rate(0) gt 77');
});

test('envoy checks tokens before it counts, and remembers them', () => {
  const { http_filters: filters, access_log: log } = JSON.parse(envoyPolicies(terms));
  expect(filters.map(({ name }: { name: string }) => name)).toEqual([
    'envoy.filters.http.jwt_authn',
    'envoy.filters.http.local_ratelimit',
  ]);
  expect(filters[0].typed_config.providers.bench).toMatchObject({
    local_jwks: { inline_string: '{"keys":[]}' },
    jwt_cache_config: { jwt_cache_size: 100 },
  });
  expect(log).toHaveLength(1);
  expect(JSON.parse(envoyJwt(terms)).access_log).toBeUndefined();
  expect(envoyLimit(terms)).toContain('"max_tokens":77');
});

test('nginx lets the limit come in one burst', () => {
  expect(nginxLimit(terms)).toContain('rate=77r/m');
  expect(nginxLimit(terms)).toContain('burst=77 nodelay');
});

test('gatehouse has a document a policy, each on the route', () => {
  const documents = gatehousePolicies(terms).split('\n---\n');
  expect(documents.map((text) => /kind: (\w+)/.exec(text)?.[1])).toEqual([
    'AuthPolicy',
    'RateLimitPolicy',
  ]);
  for (const text of documents) expect(text).toContain('{ kind: Route, name: users }');
  expect(documents[0]).toContain(`inline: '{"keys":[]}'`);
});

test.each([envoyJwt, haproxyJwt, gatehouseJwt])('%o needs tokens', (policy) => {
  expect(() => policy({ lot: undefined, limit: 1 })).toThrow('the load has no tokens');
});
