import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiServer } from '../providers/kubernetes/index.ts';
import { ScriptedApiServer } from '../providers/kubernetes/testing/scripted-api-server.ts';
import { type Notices, shareNotices } from './notices.ts';

const leases = 'apis/coordination.k8s.io/v1/leases';
const timing = {
  interval: 30,
  beat: 100,
  expiry: 1000,
  watch: { retry: { first: 1, most: 5 }, absent: 5, sound: 1000 },
};
let server: ScriptedApiServer;
let api: ApiServer;
const opened: Notices[] = [];
beforeEach(async () => {
  server = new ScriptedApiServer(leases);
  api = await server.listen();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  api.close();
  await server.close();
});

function start(replica: string) {
  const state = { text: `I am ${replica}`, changes: 0 };
  const notices = shareNotices({
    api,
    namespace: 'gatehouse',
    replica,
    podUid: undefined,
    text: () => state.text,
    onChange: () => state.changes++,
    log: { warn: (line: string) => expect.fail(line) } as never,
    timing,
  });
  opened.push(notices);
  const say = (text: string) => {
    state.text = text;
    notices.soon();
  };
  return { notices, say, heard: () => Object.fromEntries(notices.others()), state };
}
const writes = () => server.seen.filter(({ method }) => method !== 'GET');

describe('notices', () => {
  it('reach all others soon', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map(start) as [
      ReturnType<typeof start>,
      ReturnType<typeof start>,
      ReturnType<typeof start>,
    ];
    await Promise.all([a, b, c].map(({ notices }) => notices.ready));
    await vi.waitFor(() => expect(a.heard()).toEqual({ b: 'I am b', c: 'I am c' }));
    b.say('news');
    await vi.waitFor(() => expect(a.heard().b).toBe('news'));
    await vi.waitFor(() => expect(c.heard()).toEqual({ a: 'I am a', b: 'news' }));
    b.state.text = 'last words';
    await b.notices.close();
    server.remove(leases, 'b', 'gatehouse');
    await vi.waitFor(() => expect(a.heard().b).toBe('last words'));
    await vi.waitFor(() => expect(a.heard()).toEqual({ c: 'I am c' }), 5000);
  });

  it('are written once for a burst', async () => {
    const a = start('a');
    await vi.waitFor(() => expect(writes()).toHaveLength(1));
    const before = writes().length;
    for (let i = 0; i < 50; i++) {
      a.say(`text ${i}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await vi.waitFor(() => expect(JSON.stringify(writes().at(-1)?.body)).toContain('text 49'));
    expect(writes().length - before).toBeLessThan(10);
  });

  it('count as long as their replica writes', async () => {
    const a = start('a');
    const dead = {
      metadata: {
        name: 'dead',
        namespace: 'gatehouse',
        labels: { 'gatehouse.dev/notices': 'controller' },
        annotations: { 'gatehouse.dev/notice': 'last words' },
      },
    };
    server.put(leases, dead);
    const b = start('b');
    await vi.waitFor(() => expect(a.heard().dead).toBe('last words'));
    const { changes } = a.state;
    await vi.waitFor(() => expect(a.heard()).toEqual({ b: 'I am b' }), 5000);
    await vi.waitFor(() => expect(a.state.changes).toBeGreaterThan(changes));
    await vi.waitFor(() => expect(b.heard()).toEqual({ a: 'I am a' }), 5000);
  });
});
