import { expect, test } from 'vitest';
import type { Order, Wire } from '../peer.ts';
import { envoyConf } from './envoy-conf.ts';
import { gatehouseResources } from './gatehouse-resources.ts';
import { haproxyConf } from './haproxy.ts';
import { proxyConf } from './nginx.ts';

const order: Order = {
  site: {
    routes: [
      { name: 'a', prefix: '/a' },
      { name: 'b', prefix: '/b' },
    ],
  },
  folder: 'unused',
  port: 8001,
  adminPort: 8002,
  backendPort: 8003,
};
const withAddition = (addition: string): Order => ({
  ...order,
  site: { ...order.site, addition },
});

test('nginx has a location per route, and the addition before its server block', () => {
  const conf = proxyConf(withAddition('limit_req zone=z;'), false);
  expect(conf).toContain('location /a { proxy_pass http://backend; }');
  expect(conf).toContain('location /b { proxy_pass http://backend; }');
  expect(conf).toMatch(/limit_req zone=z;\n {2}server \{\n[^}]*listen 127\.0\.0\.1:8001/);
  expect(conf).not.toContain('user root;');
  expect(proxyConf(order, true)).toContain('user root;');
});

test('haproxy has a rule per route, and the addition before them', () => {
  const conf = haproxyConf(withAddition('  http-request deny if FALSE'));
  expect(conf.indexOf('http-request deny')).toBeLessThan(conf.indexOf('path_beg /a'));
  expect(conf).toContain('use_backend backend if { path_beg /b }');
  expect(conf).toContain('server one 127.0.0.1:8003');
});

test('envoy has a route per route, and the addition before the router', () => {
  const addition = '{"http_filters":[{"name":"envoy.filters.http.jwt_authn"}],"access_log":[{}]}';
  const conf = JSON.stringify(envoyConf(withAddition(addition)));
  expect(conf).toContain('"match":{"path_separated_prefix":"/b"}');
  expect(conf).toMatch(
    /"http_filters":\[\{"name":"envoy\.filters\.http\.jwt_authn"\},\{"name":"envoy\.filters\.http\.router"/,
  );
  expect(conf).toContain('"access_log":[{}]');
  expect(() => envoyConf(withAddition('[]'))).toThrow('must be an object');
  expect(() => envoyConf(withAddition('{"http_filters":{}}'))).toThrow('list of filters');
});

test('gatehouse has a Route per route, and the addition as further documents', () => {
  const documents = gatehouseResources(withAddition('kind: Extra')).split('\n---\n');
  expect(documents.map((text) => /kind: (\w+)/.exec(text)?.[1])).toEqual([
    'Upstream',
    'Route',
    'Route',
    'Extra',
  ]);
  expect(documents[0]).toContain('port: 8003');
  expect(documents[2]).toContain('{ path: { type: Prefix, value: /b } }');
});

const http2: Wire = { downstream: 'http2', upstream: 'http2' };
const tls: Wire = {
  downstream: 'tls',
  certificate: { certificate: '/tls.crt', key: '/tls.key', pair: '/tls.pem' },
};
const websocket: Wire = { downstream: 'websocket' };
const over = (wire: Wire): Order => ({ ...order, wire });

test.each([
  [http2, ['listen 127.0.0.1:8001 http2 backlog', 'location /a { grpc_pass grpc://backend; }']],
  [tls, ['listen 127.0.0.1:8001 ssl', 'ssl_certificate_key /tls.key;', 'TLSv1.3', 'proxy_pass']],
  [websocket, ['proxy_set_header Connection upgrade;', 'worker_connections 16384']],
])('nginx speaks %j', (wire, texts) => {
  for (const text of texts) expect(proxyConf(over(wire), false)).toContain(text);
  expect(proxyConf(order, false)).not.toMatch(/http2|ssl|upgrade/);
});

test.each([
  [http2, ['bind 127.0.0.1:8001 proto h2', 'server one 127.0.0.1:8003 proto h2']],
  [tls, ['bind 127.0.0.1:8001 ssl crt /tls.pem']],
])('haproxy speaks %j', (wire, texts) => {
  for (const text of texts) expect(haproxyConf(over(wire))).toContain(text);
  expect(haproxyConf(order)).not.toMatch(/proto|ssl/);
});

test.each([
  [http2, ['"codec_type":"HTTP2"', '"explicit_http_config":{"http2_protocol_options"']],
  [tls, ['"certificate_chain":{"filename":"/tls.crt"}']],
  [websocket, ['"upgrade_configs":[{"upgrade_type":"websocket"}]']],
])('envoy speaks %j', (wire, texts) => {
  const conf = JSON.stringify(envoyConf(over(wire)));
  for (const text of texts) expect(conf).toContain(text);
  expect(JSON.stringify(envoyConf(order))).not.toMatch(/codec_type|transport_socket|upgrade/);
});

test('gatehouse speaks HTTP/2 to an upstream, lets WebSockets through, and has a listener for TLS', () => {
  expect(gatehouseResources(over(http2))).toContain('spec: { protocol: HTTP2, endpoints:');
  expect(gatehouseResources(over(websocket))).toContain('upgrades: [ websocket ]');
  const text = gatehouseResources(over(tls), { certificate: 'C\nD\n', key: 'K\n' });
  expect(text).toContain('port: 8001, protocol: HTTPS');
  expect(text).toContain('  tls.crt: |\n    C\n    D\n  tls.key: |\n    K\n---');
  expect(text).toContain('parentRefs: [ { name: edge } ]');
  expect(gatehouseResources(order)).not.toMatch(/protocol|upgrades|Gateway|parentRefs/);
});
