import { describe, expect, it } from 'vitest';
import { parseExplainOptions } from '../options.ts';
import { createFolder, forwardRoute, respondRoute } from '../testing/folder.ts';
import { startGatehouse } from '../testing/gatehouse.ts';
import { folderSnapshot } from './folder.ts';
import { policy } from './testing.ts';

async function run(...args: string[]) {
  await using gatehouse = startGatehouse(['explain', ...args]);
  const code = await gatehouse.exited;
  return { code, stdout: gatehouse.stdout(), stderr: gatehouse.stderr() };
}

async function explainFolder(files: Record<string, string>, ...args: string[]) {
  await using folder = await createFolder(files);
  const found = await run(...args, '--config', folder.path);
  return { ...found, stdout: found.stdout.replaceAll(folder.path, 'FOLDER') };
}

const url = 'http://localhost:8080/orders/7';
const shop = 'examples/shop';

describe('gatehouse explain', () => {
  it('prints a page for people', async () => {
    const files = {
      'orders.yaml': forwardRoute('orders', '/orders', 4011),
      'all.yaml': respondRoute('all', '/', 'all'),
      'policy.yaml': policy(
        'orders',
        `targetRefs: [{ kind: Route, name: orders }],
         when: 'request.method == "GET"',
         authentication: [{ name: everybody, anonymous: {} }]`,
      ),
    };
    const { code, stdout, stderr } = await explainFolder(files, 'GET', url, '-H', 'x-user-id: 1');
    expect(stderr).toBe('');
    expect(stdout).toBe(`Request     GET http://localhost:8080/orders/7
            path /orders/7
            client 127.0.0.1
            dropped, since only the gateway may send them: x-user-id
            by the folder FOLDER
Listener    http of Gateway default/default: port 8080, HTTP, any host
Route       default/orders, rule all
            Prefix /orders, any host
            before default/all, rule all (Prefix /): Prefix /orders is more specific than Prefix /
AuthPolicy  for Route default/orders
            policies with conditions
              default/orders  applies  when is true: request.method == "GET"
            in force
              authentication/everybody  default/orders on Route default/orders  { anonymous: {} }
              identity/defaultHeaders   default/orders on Route default/orders  { defaultHeaders: true }
Action      forward /orders/7, Host localhost:8080
             100 %  Upstream default/orders  127.0.0.1:4011
                    HTTP/1.1; RoundRobin
            timeouts backendRequest 60000 ms, idle 300000 ms
Answer      that of the backend, if AuthPolicy lets the request through
`);
    expect(code).toBe(0);
  });

  it('prints JSON for programs', async () => {
    const files = { 'all.yaml': respondRoute('all', '/', 'all') };
    const { code, stdout } = await explainFolder(files, 'GET', url, '-o', 'json');
    expect(JSON.parse(stdout)).toEqual({
      source: { folder: 'FOLDER' },
      request: {
        method: 'GET',
        url,
        scheme: 'http',
        host: 'localhost',
        path: '/orders/7',
        query: '',
        clientAddress: '127.0.0.1',
        droppedHeaders: [],
      },
      listener: {
        name: 'http',
        gateway: 'default/default',
        port: 8080,
        protocol: 'HTTP',
        hostname: '',
      },
      route: {
        route: 'default/all',
        rule: 'all',
        hostname: '',
        match: { path: { type: 'Prefix', value: '/' }, methods: [], headers: [], query: [] },
        variables: {},
        before: [],
      },
      nearest: [],
      policies: [],
      action: { type: 'respond', status: 200, body: 'all' },
      answer: { status: 200, error: '', by: 'route', unless: [] },
      notes: [],
      mistakes: [],
    });
    expect(code).toBe(0);
  });

  it('ends with code 1 when no rule serves the request', async () => {
    const files = { 'all.yaml': respondRoute('all', '/order', 'all') };
    const { code, stdout } = await explainFolder(files, 'GET', url);
    expect(stdout).toMatch(/^Nearest {5}default\/all, rule all {2}Prefix \/order {2}path: /m);
    expect(stdout).toMatch(/^Answer {6}404 Route not found$/m);
    expect(code).toBe(1);
  });

  it('tells mistakes as check does, explains the rest and ends with code 1', async () => {
    const bad = respondRoute('bad', '/bad', 'bad').replace('200', '"two hundred"');
    const files = { 'all.yaml': respondRoute('all', '/', 'all'), 'bad.yaml': bad };
    const { code, stdout, stderr } = await explainFolder(files, 'GET', url);
    expect(stderr).toMatch(/^bad\.yaml:8:18: spec\.rules\[0\]\.respond\.status: .*\n$/);
    expect(stdout).toMatch(/^Route {7}default\/all, rule all$/m);
    expect(code).toBe(1);
  });

  it.each<[string, string[], RegExp]>([
    [
      'no such folder',
      ['GET', url, '--config', '/no/such'],
      /^Cannot explain "\/no\/such": there is no/m,
    ],
    [
      'a bad URL',
      ['GET', 'localhost:8080/x', '--config', shop],
      /^Cannot use URL "localhost:8080\/x"/m,
    ],
    [
      'a bad header',
      ['GET', url, '-H', 'x-a', '--config', shop],
      /^Cannot use header "x-a": expected/m,
    ],
    [
      'an unknown flag',
      ['GET', url, '--config', shop, '--verbose'],
      /^Unknown option '--verbose'\n/m,
    ],
  ])('refuses %s', async (_, args, reason) => {
    const { code, stdout, stderr } = await run(...args);
    expect(stderr).toMatch(reason);
    expect([code, stdout]).toEqual([1, '']);
  });
});

describe('the arguments of gatehouse explain', () => {
  const usable = ['GET', url, '--config', shop];

  it('are a method, a URL, headers and where to look', () => {
    const more = ['-H', 'x-a: b', '--header', 'Host:shop.test', '--client-address', '::1'];
    const { request, from, output } = parseExplainOptions([...usable, ...more, '-o', 'json']);
    expect(request.fields).toEqual(['x-a: b', 'Host: shop.test']);
    expect([request.clientAddress, from, output]).toEqual(['::1', { folder: shop }, 'json']);
  });

  it.each([
    ['http://a', 80, '/', ['host: a']],
    ['HTTPS://a:8443?b=c#d', 8443, '/?b=c', ['host: a:8443']],
    ['https://[::1]/a b'.replace(' ', '%20'), 443, '/a%20b', ['host: [::1]']],
    ['http://a/b/../c#d', 80, '/b/../c', ['host: a']],
  ])('take %s as it is', (text, port, target, fields) => {
    const { request } = parseExplainOptions(['GET', text, '--config', shop]);
    expect(request).toMatchObject({ port, target, fields });
  });

  it.each<[string, string[], RegExp]>([
    ['a file in place of a scheme', ['GET', 'file:///a', '--config', shop], /Cannot use URL/],
    [
      'a URL with spaces',
      ['GET', 'http://a/b c', '--config', shop],
      /Cannot use URL "http:\/\/a\/b c"/,
    ],
    ['a URL with a user', ['GET', 'http://me@a/', '--config', shop], /Cannot use URL/],
    ['a port that is none', ['GET', 'http://a:70000/', '--config', shop], /Cannot use URL/],
    ['a method that is none', ['G ET', url, '--config', shop], /Cannot use method "G ET"/],
    ['a header of two lines', [...usable, '-H', 'x-a: b\r\nhost: c'], /Cannot use header/],
    ['a header without name', [...usable, '-H', ': b'], /Cannot use header/],
    ['another form of output', [...usable, '-o', 'yaml'], /"yaml": expected text or json$/],
    ['an address that is none', [...usable, '--client-address', 'me'], /--client-address "me"/],
    ['no URL', ['GET', '--config', shop], /^Usage:/],
    ['two URLs', [...usable, url], /^Usage:/],
    ['neither folder nor data plane', ['GET', url], /expected either --config or --data-plane/],
    ['both', [...usable, '--data-plane', 'http://a'], /expected either --config or --data-plane/],
    [
      'a data plane that is no URL',
      ['GET', url, '--data-plane', '127.0.0.1:1'],
      /--data-plane "127/,
    ],
  ])('are not %s', (_, args, reason) => {
    expect(() => parseExplainOptions(args)).toThrow(reason);
  });
});

it('a file in place of a folder is told', async () => {
  const reason = 'Cannot explain "package.json": it is not a readable folder';
  await expect(folderSnapshot('package.json')).rejects.toThrow(reason);
});
