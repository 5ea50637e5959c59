import { afterEach, beforeEach, expect, it } from 'vitest';
import { prometheusText } from '../telemetry/prometheus.ts';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { startFleet, type TestFleet } from '../testing/fleet.ts';
import { statusOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule, type UpstreamFields } from '../testing/snapshot.ts';

const well = (name: string) =>
  answering(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
const broken = answering('HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n');

let one: RawBackend;
let two: RawBackend;
let fleet: TestFleet;

beforeEach(async () => {
  one = await startBackend(well('one'));
  two = await startBackend(well('two'));
  fleet = await startFleet();
});
afterEach(async () => {
  await fleet.close();
  await one.close();
  await two.close();
});

function use(more: UpstreamFields) {
  const up = { endpoints: [{ port: one.port }, { port: two.port }], more };
  return fleet.use({ rules: [forwardRule('up')], upstreams: { up } });
}

const stateOf = ({ port }: RawBackend) =>
  fleet.oversight.endpoint('up', `127.0.0.1 ${port}`)?.state;

async function served(count: number): Promise<Set<string>> {
  const answers = await fleet.answers(count);
  return new Set(answers.map((one) => (statusOf(one) === 200 ? one.body.toString() : 'failed')));
}

it('whom one thread ejects no thread asks, also one that is started later', async () => {
  const long = 600_000;
  await use({
    outlierDetection: {
      consecutiveErrors: 4,
      intervalMs: long,
      baseEjectionMs: long,
      maxEjectionMs: long,
      maxEjectedPercent: 50,
    },
  });
  two.script = broken;
  while (stateOf(two) !== 'ejected') await fleet.statuses(4);
  expect(await served(40)).toEqual(new Set(['one']));
  for (const thread of fleet.threads.slice(0, 2)) {
    const before = fleet.threads.length;
    await thread.terminate();
    await expect.poll(() => fleet.threads.length, patient).toBe(before + 1);
  }
  expect(stateOf(two)).toBe('ejected');
  await expect
    .poll(async () => (await Promise.allSettled([served(10)]))[0]?.status, patient)
    .toBe('fulfilled');
  expect(await served(40)).toEqual(new Set(['one']));
});

it('there is one check for all threads, and all heed it', async () => {
  await use({
    healthCheck: {
      probe: { case: 'http', value: { path: '/' } },
      intervalMs: 60_000,
      timeoutMs: 1000,
      unhealthyThreshold: 1,
      healthyThreshold: 1,
    },
  });
  const checks = () =>
    two.requests.filter(({ head }) => head.includes('gatehouse-health-check')).length;
  await expect.poll(checks, patient).toBe(1);
  await served(40);
  expect(checks()).toBe(1);
  two.script = broken;
  two.reset();
  await use({
    healthCheck: {
      probe: { case: 'http', value: { path: '/' } },
      intervalMs: 30,
      timeoutMs: 1000,
      unhealthyThreshold: 1,
      healthyThreshold: 1,
    },
  });
  await expect.poll(() => stateOf(two), patient).toBe('unhealthy');
  expect(await served(40)).toEqual(new Set(['one']));
  expect(prometheusText(fleet.regions, [])).toMatch(
    /gateway_health_checks_total\{service="up",result="failed"\} \d/,
  );
  two.script = well('two');
  await expect.poll(() => stateOf(two), patient).toBe('in service');
  expect(await served(40)).toEqual(new Set(['one', 'two']));
});
