import { Retries_On } from '@gatehouse/snapshot';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { clientsOf } from '../testing/clients.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import type { Peer } from '../testing/peer.ts';
import { forwardRule, type TestRule, type UpstreamFields } from '../testing/snapshot.ts';

export type RetryFields = Extract<NonNullable<TestRule['retries']>, { $typeName?: never }>;

const { CONNECT_FAILURE, RESET, GATEWAY_ERROR, SERVER_ERROR } = Retries_On;
/** What is retried when the rule says nothing, and everything that can be. */
export const usual = { on: [CONNECT_FAILURE, RESET, GATEWAY_ERROR] };
export const anything = { on: [SERVER_ERROR] };

export const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
export const failing = (code: number, fields = '') =>
  `HTTP/1.1 ${code} x\r\n${fields}Content-Length: 3\r\n\r\nbad`;
export const silence = () => undefined;

/** What a backend does with one request. */
export type Turn = string | ((peer: Peer) => void);

/** Answers requests one after the other by these; the last one for all that follow. */
export function inTurn(...turns: Turn[]): RawBackend['script'] {
  let count = 0;
  return {
    request(_request, peer) {
      const turn = turns[Math.min(count++, turns.length - 1)];
      if (typeof turn === 'string') peer.write(turn);
      else turn?.(peer);
    },
  };
}

type Options = {
  rule?: TestRule;
  /** Of the endpoints; that of `backend` when left out. */
  ports?: number[];
  more?: UpstreamFields;
  trustedHops?: number;
};

/** A gateway whose one rule retries, a backend, and clients. */
export type RetryStage = Awaited<ReturnType<typeof setStage>>;

export async function setStage() {
  const backend = await startBackend(answering(fine));
  let gateway: TestGateway | undefined;
  const started = () => {
    if (!gateway) throw new Error('Cannot use the gateway: it was not started');
    return gateway;
  };
  const clients = clientsOf(() => started().port);
  return {
    backend,
    clients,
    ask: clients.ask,
    metrics: () => started().metrics(),
    async start(
      retries: RetryFields,
      { rule = {}, ports = [backend.port], more, trustedHops = 0 }: Options = {},
    ) {
      const rest = { attempts: 2, backOffInitialMs: 5, backOffMaxMs: 10, budgetMinimum: 100 };
      gateway = await startGateway({
        listeners: [{ trustedHops }],
        rules: [forwardRule('up', { ...rule, retries: { ...rest, ...retries } })],
        upstreams: { up: { endpoints: ports.map((port) => ({ port })), more } },
      });
    },
    async close() {
      clients.close();
      await gateway?.close();
      await backend.close();
    },
  };
}
