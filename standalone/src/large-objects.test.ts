import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolder, type TestFolder } from './testing/folder.ts';
import { freePort } from './testing/free-port.ts';
import { startController, startDataPlane, type TestController } from './testing/gateway.ts';
import { get } from './testing/get.ts';
import { until } from './testing/until.ts';

/** What etcd takes as one object by default, in bytes: the API server refuses larger ones. */
const largestObject = 1.5 * 1024 * 1024;
const rules = 1000;
const file = 'large.json';

/** A Route with 1,000 rules, as large as one can be; `turn` is in the answer of each. */
function largeRoute(turn: number): string {
  const filler = 'x'.repeat(1440);
  const text = JSON.stringify({
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Route',
    metadata: { name: 'large' },
    spec: {
      rules: Array.from({ length: rules }, (_, number) => ({
        name: `rule-${number}`,
        matches: [{ path: { type: 'Prefix', value: `/api/${number}` } }],
        respond: { status: 200, body: `${turn} ${number} ${filler}` },
      })),
    },
  });
  expect(text.length).toBeLessThan(largestObject);
  expect(text.length).toBeGreaterThan(0.98 * largestObject);
  return text;
}

const closing: (() => Promise<unknown>)[] = [];
let folder: TestFolder;
let state: TestFolder;
let controller: TestController;
let port: number;
beforeEach(async () => {
  folder = await createFolder({ [file]: largeRoute(1) });
  state = await createFolder({});
  port = await freePort();
  controller = await startController(folder.path, state.path, [
    ...['--http-port', String(port), '--grpc-port', '0'],
  ]);
  closing.push(() => controller.close());
  const dataPlane = await startDataPlane(controller.grpcPort, state.path);
  closing.push(() => dataPlane.close());
  await dataPlane.ready;
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await folder[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

const served = async (number: number) => (await get(port, `/api/${number}`)).text.slice(0, 10);
const programmed = () =>
  until('the Route is programmed', () =>
    controller.summary()?.objects.find(({ kind, programmed }) => kind === 'Route' && programmed),
  );

describe('a Route as large as the API server takes', () => {
  it('is compiled, sent, linked and acknowledged, and so is a change of it', async () => {
    expect((await programmed()).message).toBe('acknowledged by 1 of 1 data planes');
    expect(await served(rules - 1)).toBe(`1 ${rules - 1} xxxx`);
    const before = performance.now();
    await folder.write(file, largeRoute(2));
    await until('the change is served', async () =>
      (await served(0)) === '2 0 xxxxxx' ? true : undefined,
    );
    // It takes about half a second, most of it until the file is seen and validated.
    expect(performance.now() - before).toBeLessThan(8000);
    expect(await served(rules - 1)).toBe(`2 ${rules - 1} xxxx`);
    expect((await programmed()).message).toBe('acknowledged by 1 of 1 data planes');
  });
});
