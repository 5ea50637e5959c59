import { PathMatch_Type } from '@gatehouse/snapshot';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import type { TestRule } from '../testing/snapshot.ts';

const types = [
  { type: PathMatch_Type.EXACT, end: '' },
  { type: PathMatch_Type.PREFIX, end: '' },
  { type: PathMatch_Type.TEMPLATE, end: '/{id}' },
  { type: PathMatch_Type.REGEX, end: '/[a-z]+' },
];

/** 1,000 rules of every type of match, each with an answer of its own that `turn` is in. */
function rules(turn: number): TestRule[] {
  return Array.from({ length: 1000 }, (_, number) => {
    const { type, end } = types[number % types.length]!;
    return {
      name: `rule-${number}`,
      matches: [{ path: { type, value: `/api/${number}${end}` } }],
      action: {
        case: 'respond',
        value: { status: 200, body: Buffer.from(`${turn} ${number}`) },
      },
    };
  });
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ rules: rules(0) });
});
afterAll(() => gateway.close());

// It takes about 20 ms.
it('a Route with 1,000 rules is linked in under 250 ms', async () => {
  const times: number[] = [];
  for (let turn = 1; turn <= 5; turn++) {
    const start = performance.now();
    await gateway.use({ rules: rules(turn) });
    times.push(performance.now() - start);
  }
  // The quickest says what it costs; the others say how busy the machine is.
  expect(Math.min(...times)).toBeLessThan(250);
  const client = await connectTo(gateway.port);
  for (const [path, number] of Object.entries({ 996: 996, 997: 997, '998/x': 998, '999/x': 999 })) {
    client.write(`GET /api/${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect((await client.message()).body.toString()).toBe(`5 ${number}`);
  }
  client.end();
});
