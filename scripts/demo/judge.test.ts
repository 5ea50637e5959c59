import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Check, Expectation } from '../../examples/check.ts';
import { createEcho } from '../../examples/echo/echo.ts';
import { judge } from './judge.ts';
import { createReport } from './report.ts';
import type { Target } from './target.ts';

const echo = createEcho('echo-1');
let target: Target;

beforeAll(async () => {
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const { port } = echo.address() as AddressInfo;
  target = { http: port, ports: new Map([[4011, port]]), authorities: [] };
});

afterAll(() => {
  echo.close();
  echo.closeAllConnections();
});

const request = 'POST /a?b=1';
const sent: Omit<Check, 'expect'> = { shows: '', request, body: { c: 2 } };

test.each<{ name: string; expect: Expectation; mistakes: RegExp[] }>([
  {
    name: 'everything as expected',
    expect: {
      status: 200,
      headers: { 'x-served-by': 'echo-1', 'x-none': null },
      body: { path: '/a?b=1', body: '{"c":2}', headers: { cookie: undefined } },
      servedBy: { 'echo-1': 3 },
      seenBy: { 4011: 3 },
    },
    mistakes: [],
  },
  {
    name: 'another status',
    expect: { status: 201 },
    mistakes: [/^status: expected 201, found 200/],
  },
  {
    name: 'another header and one that must not be there',
    expect: { status: 200, headers: { server: 'x', 'x-served-by': null } },
    mistakes: [/^server: expected "x", found "echo/, /^x-served-by: expected nothing, found/],
  },
  {
    name: 'another field of the body',
    expect: { status: 200, body: { path: '/b' } },
    mistakes: [/^body: expected .*"\/b".*, found .*"\/a\?b=1"/],
  },
  {
    name: 'a field of the body that must not be there',
    expect: { status: 200, body: { path: undefined } },
    mistakes: [/^body: /],
  },
  { name: 'another text', expect: { status: 200, body: 'x' }, mistakes: [/^body: expected "x"/] },
  {
    name: 'another instance',
    expect: { status: 200, servedBy: { 'echo-1': 1, 'echo-2': 1 } },
    mistakes: [/^served by: expected .*, found \{"echo-1":2\}/],
  },
  {
    name: 'one instance and a header that fits',
    expect: {
      status: 200,
      servedByOne: 3,
      headers: { 'x-served-by': /^echo-/ },
      seenBy: { 4011: 3 },
    },
    mistakes: [],
  },
  {
    name: 'a header that does not fit',
    expect: { status: 200, headers: { 'x-served-by': /^other-/ } },
    mistakes: [/^x-served-by: expected "\/\^other-\/", found "echo-1"/],
  },
  {
    name: 'a request too many',
    expect: { status: 200, seenBy: { 4011: 0 } },
    mistakes: [/^requests of the backend at 4011: expected \d+, found \d+/],
  },
])('$name', async ({ expect: expected, mistakes }) => {
  const found = await judge({ ...sent, expect: expected }, target);
  expect(found).toEqual(mistakes.map((mistake) => expect.stringMatching(mistake)));
});

test('what is sent at once is sent so often, and all answers count', async () => {
  const check: Check = {
    shows: '',
    request,
    atOnce: 3,
    expect: { status: 200, seenBy: { 4011: 3 } },
  };
  expect(await judge(check, target)).toEqual([]);
});

test('what takes a moment is tried again', async () => {
  const counted = async () => {
    const answer = await fetch(`http://127.0.0.1:${target.http}/_requests`);
    return ((await answer.json()) as { requests: number }).requests;
  };
  const body = { requests: (await counted()) + 1 };
  const check: Check = { shows: '', request: 'GET /_requests', expect: { status: 200, body } };
  expect(await judge(check, target)).toEqual([expect.stringMatching(/^body: /)]);
  const judged = judge({ ...check, eventually: true }, target);
  await fetch(`http://127.0.0.1:${target.http}/`);
  expect(await judged).toEqual([]);
});

test('a report counts what passes and what fails, an error too', async () => {
  const lines: string[] = [];
  const report = createReport((line) => lines.push(line));
  await report.check('good', () => []);
  await report.check('noted', () => '5 ms');
  await report.check('bad', () => ['expected 1, found 2']);
  await report.check('broken', async () => {
    throw new Error('no answer');
  });
  expect(report.counts()).toEqual({ passed: 2, failed: 2 });
  expect(lines).toEqual([
    'ok      good',
    'ok      noted (5 ms)',
    'FAILED  bad',
    '          expected 1, found 2',
    'FAILED  broken',
    '          no answer',
  ]);
});

test('requests that were sent before count for the backend only', async () => {
  const check: Check = { ...sent, after: 3, expect: { status: 200, seenBy: { 4011: 4 } } };
  expect(await judge(check, target)).toEqual([]);
});
