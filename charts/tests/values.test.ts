import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  chart,
  find,
  gatewayApi,
  helm,
  podOf,
  type RenderOptions,
  render,
  template,
} from '../render.ts';

const dataplane = 'Deployment gatehouse-dataplane';

test('helm lint is clean', async () => {
  const { code, stdout } = await helm(['lint', '--strict', chart]);
  expect(stdout).not.toMatch(/WARNING|ERROR/);
  expect(code).toBe(0);
});

test.each<[string, object, RegExp]>([
  ['a field that does not exist', { dataPlane: { servce: {} } }, /'servce' not allowed/],
  ['a port out of range', { dataPlane: { ports: { http: { port: 0 } } } }, /http\/port/],
  ['a port named admin', { dataPlane: { ports: { admin: { port: 1 } } } }, /propertyName 'admin'/],
  ['a level that is none', { controller: { logLevel: 'loud' } }, /'trace', 'debug'/],
  ['a token too short-lived', { dataPlane: { token: { expirationSeconds: 60 } } }, /minimum/],
  ['a Service of a wrong type', { dataPlane: { service: { type: 'Headless' } } }, /'NodePort'/],
  ['two volumes', { dataPlane: { lastKnownGood: { volume: { a: {}, b: {} } } } }, /maxProperties/],
])('%s is refused', async (_, values, message) => {
  const { code, stderr } = await template({ values });
  expect(stderr).toMatch(message);
  expect(code).not.toBe(0);
});

test('a Gateway outside of watchNamespaces is refused with the remedy', async () => {
  const values = { watchNamespaces: ['shop'] };
  const { stderr } = await template({ values, apis: [gatewayApi] });
  expect(stderr).toContain('Cannot make the Gateway "gatehouse": its namespace "gatehouse-system"');
  expect(stderr).toContain('gateway.enabled=false');
});

test('values.yaml names every value of the schema', async () => {
  type Schema = {
    properties?: Record<string, Schema>;
    $ref?: string;
    $defs?: Record<string, Schema>;
  };
  const schema: Schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8'));
  const values: unknown = parse(await readFile(join(chart, 'values.yaml'), 'utf8'));
  const open = ['resources.claims', 'issuerRef', 'global'];
  const missing: string[] = [];
  const visit = (node: Schema, value: unknown, path: string) => {
    const name = node.$ref?.replace('#/$defs/', '');
    const { properties } = name === undefined ? node : (schema.$defs?.[name] ?? {});
    for (const [key, child] of Object.entries(properties ?? {})) {
      const at = path === '' ? key : `${path}.${key}`;
      if (open.some((end) => at.endsWith(end))) continue;
      const inner = (value as Record<string, unknown> | undefined)?.[key];
      if (inner === undefined) missing.push(at);
      else visit(child, inner, at);
    }
  };
  visit(schema, values, '');
  expect(missing).toEqual([]);
});

test.each<[string, RenderOptions, string[]]>([
  ['without the Gateway API', {}, []],
  ['with it', { apis: [gatewayApi] }, ['GatewayClass', 'Gateway']],
  [
    'with a class that is there',
    { apis: [gatewayApi], values: { gateway: { createClass: false } } },
    ['Gateway'],
  ],
  ['when it is not wanted', { apis: [gatewayApi], values: { gateway: { enabled: false } } }, []],
])('the Gateway %s', async (_, options, kinds) => {
  const found = (await render(options)).filter(({ kind }) => kind.startsWith('Gateway'));
  expect(found.map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
});

test.each([
  [5000, 25_000, 35],
  [0, 0, 5],
  [1, 0, 6],
  [2500, 3_600_000, 3608],
])('a delay of %i ms and a drain of %i ms get %i s', async (delayMs, timeoutMs, seconds) => {
  const pod = podOf(
    await render({ values: { dataPlane: { drain: { delayMs, timeoutMs } } } }),
    dataplane,
  );
  expect(pod.terminationGracePeriodSeconds).toBe(seconds);
  expect(pod.containers[0].args).toContain(`--drain-delay-ms=${delayMs}`);
  expect(pod.containers[0].args).toContain(`--drain-timeout-ms=${timeoutMs}`);
});

test('with autoscaling nobody else sets the number of data planes', async () => {
  const objects = await render({ values: { dataPlane: { autoscaling: { enabled: true } } } });
  expect(find(objects, 'Deployment', 'gatehouse-dataplane').spec).not.toHaveProperty('replicas');
  expect(find(objects, 'HorizontalPodAutoscaler', 'gatehouse-dataplane').spec).toMatchObject({
    minReplicas: 2,
    maxReplicas: 10,
  });
});

test('ports under 1024 need a sysctl that counts as safe, and no capability', async () => {
  const sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }];
  expect(podOf(await render(), dataplane).securityContext.sysctls).toEqual(sysctls);
  const without = await render({ values: { dataPlane: { lowPorts: false } } });
  expect(podOf(without, dataplane).securityContext.sysctls).toBeUndefined();
});

test('names of objects fit however long that of the release is', async () => {
  const objects = await render({ release: 'r'.repeat(53) });
  for (const { metadata } of objects) {
    const limit = metadata.namespace === undefined ? 253 : 63;
    expect(metadata.name.length).toBeLessThanOrEqual(limit);
  }
});

test('an entry of the ports can be dropped', async () => {
  const ports = { http: null, https: { port: 8443 } };
  const pod = podOf(await render({ values: { dataPlane: { ports } } }), dataplane);
  expect(pod.containers[0].ports.map(({ name }) => name)).toEqual(['https', 'admin']);
});
