import { rename } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFolder, forwardRoute, respondRoute, type TestFolder } from './testing/folder.ts';
import { freePort, isFree } from './testing/free-port.ts';
import { type Gatehouse, startGatehouse } from './testing/gatehouse.ts';
import { get } from './testing/get.ts';
import { until } from './testing/until.ts';

/** Milliseconds in which a change must be live. */
const liveWithin = 300;

let folder: TestFolder;
let gatehouse: Gatehouse;
let http: number;
let admin: number;
const backend = createServer((request, response) => response.end(`backend ${request.url}`));

beforeAll(async () => {
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  folder = await createFolder({
    'greeting.yaml': respondRoute('greeting', '/greeting', 'hello'),
    'backend.yaml': forwardRoute('backend', '/backend', (backend.address() as AddressInfo).port),
  });
  http = await freePort();
  admin = await until('two free ports', async () => {
    const port = await freePort();
    return (await isFree(port + 1)) ? port : undefined;
  });
  const ports = ['--http-port', String(http), '--admin-port', String(admin)];
  gatehouse = startGatehouse(['dev', folder.path, ...ports, '--data-planes', '2']);
  await gatehouse.ready();
}, 60_000);

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  backend.close();
  backend.closeAllConnections();
}, 60_000);

test('standard output is one line that says where it serves', () => {
  expect(gatehouse.stdout()).toBe(`ready http=127.0.0.1:${http} admin=127.0.0.1:${admin}\n`);
});

test('serves Routes that respond and Routes that forward', async () => {
  expect(await get(http, '/greeting')).toMatchObject({ status: 200, text: 'hello' });
  expect(await get(http, '/backend/1')).toMatchObject({ status: 200, text: 'backend /backend/1' });
  expect((await get(http, '/nowhere')).status).toBe(404);
});

test('tells which objects every data plane acknowledged', async () => {
  for (const object of ['Route default/greeting', 'Upstream default/backend']) {
    await gatehouse.line(new RegExp(`^${object}: acknowledged by 2 of 2 data planes$`));
  }
});

test('two data planes share the port, each with an admin port of its own', async () => {
  await until('both data planes have served', async () => {
    await get(http, '/greeting');
    const metrics = await Promise.all([admin, admin + 1].map((port) => get(port, '/metrics')));
    const served = metrics.every(({ text }) => /gateway_requests_total\{.*greeting/.test(text));
    return served || undefined;
  });
});

describe('when a file changes', () => {
  test(`it is live in less than ${liveWithin} ms`, async () => {
    const times: number[] = [];
    // The fastest counts: how busy the machine is must not decide.
    for (let i = 1; i <= 5 && !(Math.min(...times) < liveWithin); i++) {
      const start = performance.now();
      await folder.write('greeting.yaml', respondRoute('greeting', '/greeting', `edit ${i}`));
      await liveAtBoth(`edit ${i}`);
      times.push(performance.now() - start);
    }
    expect(Math.min(...times)).toBeLessThan(liveWithin);
  });

  test('an invalid edit is told with its place and the last good state stays', async () => {
    await folder.write('greeting.yaml', respondRoute('greeting', '/greeting', 'good'));
    await liveAtBoth('good');
    const from = gatehouse.stderr().length;
    const broken = respondRoute('greeting', '/greeting', 'bad').replace('200', '2000');
    await folder.write('greeting.yaml', broken);
    await folder.write('other.yaml', respondRoute('other', '/other', 'other'));
    const line = await gatehouse.line(/^greeting\.yaml:/, { from });
    expect(line).toMatch(/^greeting\.yaml:8:18: spec\.rules\[0\]\.respond\.status: .*2000/);
    // The good file beside it is not held up.
    await liveAtBoth('other', '/other');
    expect((await get(http, '/greeting')).text).toBe('good');

    await folder.write('greeting.yaml', respondRoute('greeting', '/greeting', 'repaired'));
    await liveAtBoth('repaired');
    await gatehouse.line(/^All files are well\.$/, { from });
  });

  test('a Route that is added and removed comes and goes', async () => {
    const from = gatehouse.stderr().length;
    await folder.write('more.yaml', respondRoute('more', '/more', 'more'));
    await liveAtBoth('more', '/more');
    await gatehouse.line(/^Route default\/more: acknowledged by 2 of 2 data planes$/, { from });
    await folder.write('more.yaml', '');
    await gatehouse.line(/^Route default\/more: removed$/, { from });
    await until('the Route is gone', async () =>
      (await get(http, '/more')).status === 404 ? true : undefined,
    );
  });
});

test('a folder that vanishes stays in use, and is followed when it is back', async () => {
  await folder.write('greeting.yaml', respondRoute('greeting', '/greeting', 'before'));
  await liveAtBoth('before');
  const from = gatehouse.stderr().length;
  const away = `${folder.path}-away`;
  await rename(folder.path, away);
  await gatehouse.line(/Cannot read folder/, { from });
  expect(await get(http, '/greeting')).toMatchObject({ status: 200, text: 'before' });
  expect((await get(http, '/backend')).status).toBe(200);
  await rename(away, folder.path);
  await gatehouse.line(/^All files are well\.$/, { from });
  await folder.write('greeting.yaml', respondRoute('greeting', '/greeting', 'back'));
  await liveAtBoth('back');
});

/** Resolves when ten new connections in a row, to whichever data plane, get that answer. */
async function liveAtBoth(text: string, path = '/greeting') {
  let inRow = 0;
  await until(`"${text}" is live`, async () => {
    inRow = (await get(http, path)).text === text ? inRow + 1 : 0;
    return inRow === 10 || undefined;
  });
}
