import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { OptionsError, optionsOf } from './options.ts';

const folder = mkdtempSync(join(tmpdir(), 'options-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const token = 'abcdefghijklmnop';
const least = ['--config-folder', 'examples'];
const inCluster = [
  ...['--kubernetes', '--pod-name', 'c-1', '--namespace', 'gatehouse'],
  ...['--data-plane-service-account', 'gatehouse/data-plane'],
];
const kept = ['--tls-secret', 'tls', '--tls-ca-config-map', 'ca', '--tls-names', 'a.svc, b'];

test('defaults', () => {
  expect(optionsOf(least, { GATEHOUSE_TOKEN: token })).toEqual({
    configFolder: 'examples',
    grpcHost: '127.0.0.1',
    grpcPort: 18000,
    adminHost: '127.0.0.1',
    adminPort: 9902,
    token,
    tls: undefined,
    caOut: undefined,
    httpPort: undefined,
    logLevel: 'info',
  });
});

test('everything', () => {
  const args = [
    ...least,
    ...['--grpc-host', '::1', '--grpc-port', '0', '--admin-host', '::1', '--admin-port', '65535'],
    ...['--token-file', fileOf('token', `${token}\n`), '--http-port', '8080'],
    ...['--tls-cert', 'cert', '--tls-key', 'key'],
    ...['--log-level', 'warn'],
  ];
  expect(optionsOf(args, {})).toMatchObject({
    grpcHost: '::1',
    grpcPort: 0,
    adminHost: '::1',
    adminPort: 65535,
    token,
    tls: { certificate: 'cert', key: 'key' },
    httpPort: 8080,
    logLevel: 'warn',
  });
});

test('a cluster', () => {
  const first = optionsOf([...inCluster, '--leader-elect=false'], {});
  expect(first).toMatchObject({
    cluster: {
      kubeconfig: undefined,
      namespaces: [],
      dataPlanes: ['gatehouse/data-plane'],
      dataPlaneService: undefined,
      podName: 'c-1',
      namespace: 'gatehouse',
      elect: false,
    },
  });
  expect(first.token).toBeUndefined();
  const args = ['--kubernetes', '--kubeconfig', 'file', '--watch-namespaces', 'a, b,a'];
  const accounts = ['--data-plane-service-account', 'a/b', '--data-plane-service-account', 'c/d'];
  const environment = { POD_NAME: 'c-2', POD_NAMESPACE: 'ns', POD_UID: 'u' };
  expect(
    optionsOf([...args, ...accounts, '--data-plane-service=gw/dp'], environment).cluster,
  ).toEqual({
    kubeconfig: 'file',
    namespaces: ['a', 'b'],
    dataPlanes: ['a/b', 'c/d'],
    dataPlaneService: 'gw/dp',
    podName: 'c-2',
    podUid: 'u',
    namespace: 'ns',
    elect: true,
    certificate: undefined,
  });
  expect(optionsOf([...inCluster, ...kept], {}).cluster?.certificate).toEqual({
    secret: 'tls',
    caConfigMap: 'ca',
    hosts: ['a.svc', 'b'],
  });
});

test.each([
  [[], 'Give --config-folder FOLDER or --kubernetes'],
  [[...least, '--kubernetes'], 'not both'],
  [['--kubernetes'], 'Give --pod-name NAME or POD_NAME'],
  [['--kubernetes', '--pod-name', 'a'], 'Give --namespace NAMESPACE or POD_NAMESPACE'],
  [inCluster.slice(0, 5), 'Give --data-plane-service-account NAMESPACE/NAME'],
  [[...inCluster, '--data-plane-service-account', 'a'], 'must be NAMESPACE/NAME, not "a"'],
  [[...inCluster, '--data-plane-service', 'a'], '--data-plane-service must be NAMESPACE/NAME'],
  [[...inCluster, '--leader-elect', 'no'], '--leader-elect must be true or false, not "no"'],
  [[...least, '--grpc-port', '65536'], '--grpc-port must be a port from 0 to 65535, not "65536"'],
  [[...least, '--grpc-port', '1e3'], '--grpc-port must be a port'],
  [[...least, '--http-port', '0'], '--http-port must be a port from 1 to 65535, not "0"'],
  [[...least, '--admin-port', ''], '--admin-port must be a port'],
  [[...least, '--tls-cert', 'a'], 'Give --tls-cert and --tls-key together'],
  [[...least, '--tls-key', 'a'], 'Give --tls-cert and --tls-key together'],
  [[...least, '--tls-cert', 'a', '--tls-key', 'b', '--tls-ca-out', 'c'], 'no authority is made'],
  [[...least, '--tls-secret', 'a'], '--tls-secret has a use with --kubernetes only'],
  [[...inCluster, '--tls-secret', 'a'], 'Give --tls-secret, --tls-ca-config-map and --tls-names'],
  [[...inCluster, ...kept, '--tls-cert', 'a', '--tls-key', 'b'], 'Give --tls-secret NAME, or'],
  [[...least, '--token-file', '/nowhere'], 'Cannot read the file of --token-file: ENOENT'],
  [[...least, '--log-level', 'loud'], '--log-level must be one of'],
  [[...least, '--unknown'], "Unknown option '--unknown'"],
  [[...least, 'extra'], 'Unexpected argument'],
])('%j is refused', (args, reason) => {
  const options = () => optionsOf(args, { GATEHOUSE_TOKEN: token });
  expect(options).toThrow(OptionsError);
  expect(options).toThrow(reason);
});

test.each([
  [undefined, 'Give --token-file FILE or GATEHOUSE_TOKEN'],
  ['', 'at least 16 characters'],
  ['short', 'at least 16 characters'],
  ['with a space in it', 'at least 16 characters'],
  ['umlauts-äöü-in-it-', 'at least 16 characters'],
])('the token %j is refused', (given, reason) => {
  const environment = given === undefined ? {} : { GATEHOUSE_TOKEN: given };
  expect(() => optionsOf(least, environment)).toThrow(reason);
});
