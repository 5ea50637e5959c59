import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { actionLines } from './action-text.ts';
import type { ExplainedUpstream } from './explanation.ts';
import { explained, route } from './testing.ts';

const example = new URL('../../../examples/upstream-tls/secrets.yaml', import.meta.url);

const usual: ExplainedUpstream = {
  protocol: 'HTTP1',
  tls: null,
  balancing: 'RoundRobin',
  balancingKey: '',
  sticky: false,
  circuitBreaker: null,
  healthCheck: null,
  ejects: false,
};

const tls: ExplainedUpstream['tls'] = {
  serverName: 'orders.internal',
  minVersion: '1.2',
  authorities: '',
  clientCertificate: '',
  complete: true,
};

/** @param spec fields of the Upstream, beside its endpoints. */
async function actionWith(spec: string, more = '') {
  const yaml = `
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: up }
spec: { endpoints: { static: [{ address: 127.0.0.1, port: 4011 }] }${spec === '' ? '' : `, ${spec}`} }
${route('all', '{ name: all, backends: [{ kind: Upstream, name: up }] }')}
---
${more}`;
  const { action } = await explained('GET http://localhost:8080/', yaml);
  return action;
}

it.each<[string, Partial<ExplainedUpstream>, string[]]>([
  ['', {}, ['HTTP/1.1; RoundRobin']],
  [
    'protocol: HTTP2, healthCheck: { grpc: {} }',
    { protocol: 'HTTP2', healthCheck: 'grpc' },
    ['HTTP/2; RoundRobin; checked by grpc'],
  ],
  [
    'balancing: { algorithm: Maglev, key: request.path }',
    { balancing: 'Maglev', balancingKey: 'request.path' },
    ['HTTP/1.1; Maglev by request.path'],
  ],
  [
    'balancing: { algorithm: LeastRequest, sticky: {} }, outlierDetection: {}',
    { balancing: 'LeastRequest', sticky: true, ejects: true },
    ['HTTP/1.1; LeastRequest, sticky; ejects endpoints that fail'],
  ],
  [
    'circuitBreaker: { failureThreshold: 3, timeout: 2s, errorRate: { percent: 40 }, limits: { maxRequests: 9 } }',
    {
      circuitBreaker: { failureThreshold: 3, timeout: 2000, errorPercent: 40, maxRequests: 9 },
    },
    [
      'HTTP/1.1; RoundRobin; breaker opens after 3 failures in a row or at 40 % failures for 2000 ms, ' +
        'takes 9 requests at a time',
    ],
  ],
  [
    'circuitBreaker: { failureThreshold: 0 }',
    {
      circuitBreaker: { failureThreshold: 0, timeout: 60_000, errorPercent: 0, maxRequests: 0 },
    },
    ['HTTP/1.1; RoundRobin; breaker never opens'],
  ],
  [
    'tls: { serverName: orders.internal }',
    { tls },
    ['HTTP/1.1; RoundRobin', 'TLS 1.2 or newer to orders.internal, trusts public authorities'],
  ],
])('an Upstream is told of: %s', async (spec, expected, lines) => {
  const action = await actionWith(spec);
  expect(action).toMatchObject({ backends: [{ settings: { ...usual, ...expected } }] });
  const text = actionLines(action).map((line) => line.trim());
  const from = text.findIndex((line) => line.startsWith('100 %'));
  expect(text.slice(from + 1, -1)).toEqual(lines);
});

const secured =
  'tls: { serverName: orders.internal, minVersion: "1.3", caSecretRef: { name: example-authority }, ' +
  'clientCertificateSecretRef: { name: gateway-client } }';

it.each([
  [true, await readFile(example, 'utf8'), 'shows Secret default/gateway-client'],
  [false, '', 'a Secret is missing or unfit, so nobody new connects'],
])('TLS with its Secrets: %s', async (complete, secrets, text) => {
  const action = await actionWith(secured, secrets);
  expect(action).toMatchObject({
    backends: [
      {
        settings: {
          tls: {
            ...tls,
            minVersion: '1.3',
            authorities: 'default/example-authority',
            clientCertificate: 'default/gateway-client',
            complete,
          },
        },
      },
    ],
  });
  expect(actionLines(action).find((line) => line.includes('TLS 1.3'))).toMatch(
    new RegExp(`${text}$`),
  );
});

it('a Service is told of by its appProtocol', async () => {
  const yaml = `
apiVersion: v1
kind: Service
metadata: { name: calls }
spec: { ports: [{ name: grpc, port: 80, appProtocol: kubernetes.io/h2c }] }
${route('all', '{ name: all, backends: [{ name: calls }] }')}`;
  const { action } = await explained('GET http://localhost:8080/', yaml);
  expect(action).toMatchObject({ backends: [{ settings: { ...usual, protocol: 'HTTP2' } }] });
});
