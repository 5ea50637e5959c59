import { afterEach, beforeAll, beforeEach } from 'vitest';
import { type Authority, createAuthority, type IssueOptions, type Pair } from './authority.ts';
import { clientsOf } from './clients.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { forwardRule, type TestSnapshot, type UpstreamFields } from './snapshot.ts';
import { startTlsBackend, type TlsBackend } from './tls-backend.ts';

export type Tls = NonNullable<UpstreamFields['tls']>;

const day = 86_400_000;

/** The name that the tests' upstream wants to see. */
export const name = 'a.internal';
export const named: IssueOptions = { names: [{ type: 'dns', value: name }] };
export const expired: IssueOptions = {
  notBefore: new Date(Date.now() - 2 * day),
  notAfter: new Date(Date.now() - day),
};
export const early: IssueOptions = {
  notBefore: new Date(Date.now() + day),
  notAfter: new Date(Date.now() + 2 * day),
};

/** A snapshot with one upstream, "up", that speaks TLS and trusts the entry "ca". */
export function tlsSnapshot(
  port: number,
  authority: Pair,
  tls: Tls = {},
  more: Partial<TestSnapshot> = {},
): TestSnapshot {
  const fields = { tls: { serverName: name, authorities: 'ca', ...tls } };
  return {
    rules: [forwardRule('up')],
    upstreams: { up: { endpoints: [{ port }], more: fields } },
    entries: { ca: { 'ca.crt': authority.cert } },
    ...more,
  };
}

/** Authorities for a file of tests, and what each test starts; all of it is gone when the test ends. */
export function tlsUpstream() {
  const made = {} as {
    root: Authority;
    other: Authority;
    good: Pair;
    client: Pair;
    stranger: Pair;
  };
  const running: { gateway?: TestGateway | undefined; backend?: TlsBackend | undefined } = {};
  const clients = clientsOf(() => running.gateway?.port ?? 0);

  beforeAll(async () => {
    const [root, other] = [await createAuthority('CN=root'), await createAuthority('CN=other')];
    Object.assign(made, {
      root,
      other,
      good: await root.issue(`CN=${name}`, named),
      client: await root.issue('CN=gateway'),
      stranger: await other.issue('CN=gateway'),
    });
  });
  beforeEach(() => {
    running.gateway = undefined;
    running.backend = undefined;
  });
  afterEach(async () => {
    clients.close();
    await running.gateway?.close();
    await running.backend?.close();
  });

  return {
    made,
    clients,
    running,
    snapshot: (port: number, tls?: Tls, more?: Partial<TestSnapshot>) =>
      tlsSnapshot(port, made.root, tls, more),
    /** Starts an endpoint that shows `pair`, and a gateway. */
    async start(pair: Pair, tls: Tls = {}, more: Partial<TestSnapshot> = {}, options = {}) {
      const backend = await startTlsBackend({ ...pair, ...options });
      running.backend = backend;
      const gateway = await startGateway(tlsSnapshot(backend.port, made.root, tls, more));
      running.gateway = gateway;
      return { backend, gateway };
    },
  };
}
