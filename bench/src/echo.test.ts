import { expect, test } from 'vitest';
import { startEcho } from './echo.ts';

test('echoes on all connections while it is watched, and counts', async () => {
  const load = { connections: 5, downstream: 'websocket', paths: ['/echo'], rate: 50 } as const;
  const signal = AbortSignal.timeout(30_000);
  const { backend, send } = await startEcho(load, signal);
  await using _ = backend.child;
  const seen: string[] = [];
  const result = await send(backend.port, 1, signal, {
    begin: async () => void seen.push(`opened, ${await backend.count()} echoed`),
    end: async () => void seen.push('sent'),
  });
  expect(seen).toEqual(['opened, 5 echoed', 'sent']);
  expect(result.requests).toBeGreaterThan(0);
  expect(await backend.count()).toBeGreaterThanOrEqual(5 + result.requests);
});
