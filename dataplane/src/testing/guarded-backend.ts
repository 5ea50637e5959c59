import type { AuthenticationMethod, IdentityFields } from '@gatehouse/crds';
import { type RawBackend, startBackend } from './backend.ts';
import { connectTo } from './client.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { type Message, statusOf, valuesOf } from './message.ts';
import { authPolicy, forwardRule, type TestSnapshot } from './snapshot.ts';

/** A backend behind a gateway whose AuthPolicy a test chooses. */
export type GuardedBackend = {
  gateway: TestGateway;
  backend: RawBackend;
  /** Serves with these methods, tried in order. `more` goes into the snapshot. */
  guard(
    methods: AuthenticationMethod[],
    more?: Partial<TestSnapshot> & { identity?: IdentityFields; guarded?: string[] },
  ): Promise<void>;
  /** Sends one request. `lines`: complete field lines. */
  ask(lines?: string, target?: string, method?: string): Promise<Answer>;
  close(): Promise<void>;
};

export type Answer = {
  status: number;
  body: string;
  message: Message;
  /** Values of a field of the answer. */
  values(name: string): string[];
  /** Values of a field as the backend got it; undefined when the request did not get there. */
  sent(name: string): string[] | undefined;
  /** Target as the backend got it. */
  target: string | undefined;
};

export async function startGuardedBackend(): Promise<GuardedBackend> {
  const backend = await startBackend();
  const snapshot = {
    rules: [forwardRule('backend')],
    // Loading what a method asks with may hold up a slow machine for a while.
    upstreams: { backend: { endpoints: [{ port: backend.port }], connectTimeout: 30_000 } },
  };
  const gateway = await startGateway(snapshot);
  return {
    gateway,
    backend,
    guard(authentication, { identity, guarded = [], ...more } = {}) {
      const policy = authPolicy({ authentication, ...(identity ? { identity } : {}) });
      const all = [...(policy.guarded ?? []), ...guarded];
      return gateway.use({ ...snapshot, policies: [{ ...policy, guarded: all }], ...more });
    },
    async ask(lines = '', target = '/', method = 'GET') {
      const before = backend.requests.length;
      const client = await connectTo(gateway.port);
      client.write(`${method} ${target} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
      const message = await client.message({ noBody: method === 'HEAD' });
      client.end();
      const request = backend.requests[before];
      return {
        status: statusOf(message),
        body: message.body.toString(),
        message,
        values: (name) => valuesOf(message.fields, name),
        sent: (name) => request && valuesOf(request.fields, name),
        target: request?.startLine.split(' ')[1],
      };
    },
    async close() {
      await gateway.close();
      await backend.close();
    },
  };
}
