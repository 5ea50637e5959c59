import { afterEach, expect, it } from 'vitest';
import type { Check } from '../../examples/check.ts';
import { checks as grpcChecks } from '../../examples/grpc/check.ts';
import { startSource as startGrpc } from '../../examples/grpc/source.ts';
import type { Source, StartSource } from '../../examples/source.ts';
import { checks as sseChecks } from '../../examples/sse/check.ts';
import { startSource as startEvents } from '../../examples/sse/source.ts';
import { judge } from './judge.ts';

let source: Source | undefined;
afterEach(async () => {
  await source?.close();
  source = undefined;
});

/** Asks a source itself, without a gateway before it. */
async function judged(start: StartSource, port: number, check: Check | undefined) {
  source = await start(new Map());
  const http = source.ports.get(port) ?? 0;
  return judge(check as Check, { http, ports: source.ports, authorities: [] });
}

it.each<[string, StartSource, number, Check | undefined]>([
  ['a call of gRPC', startGrpc, 4031, grpcChecks[1]],
  ['events', startEvents, 4041, sseChecks[1]],
])('%s is judged', async (_, start, port, check) => {
  expect(await judged(start, port, check)).toEqual([]);
});

it.each<[string, StartSource, number, Check, RegExp]>([
  [
    'a call of gRPC with another status',
    startGrpc,
    4031,
    { ...(grpcChecks[2] as Check), headers: { 'x-fail': 'greeter-1' }, expect: { status: 0 } },
    /^status: expected 0, found 14/,
  ],
  [
    'a call of gRPC with other messages',
    startGrpc,
    4031,
    { ...(grpcChecks[1] as Check), expect: { status: 0, body: [{ text: 'x' }] } },
    /^body: expected .*"x".*, found .*Hello Ada/,
  ],
  [
    'other events',
    startEvents,
    4041,
    { ...(sseChecks[0] as Check), expect: { status: 200, body: [{ tick: 2 }] } },
    /^body: expected .*, found \[\{"tick":1\}/,
  ],
])('%s: mistakes are found', async (_, start, port, check, mistake) => {
  expect(await judged(start, port, check)).toEqual([expect.stringMatching(mistake)]);
});
