import { EventEmitter } from 'node:events';
import { type ClientRequestArgs, type IncomingMessage, Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { ConsulSecrets } from '../../compile/consul-secrets.ts';
import type { ConsulSource } from '../../compile/discovery-source.ts';

export type Question = {
  /** Only instances that pass all their checks, and that have the tags. */
  passing: boolean;
  /** Waits for another state than this; undefined: answers at once. */
  after?: { index: bigint; wait: number };
};

export type Answer = {
  /** 0 when none was told. */
  index: bigint;
  body: unknown;
  /** Something was left out that the token may not see. */
  filtered: boolean;
  /** Who has no right gets nothing. */
  deniesByDefault: boolean;
};

export interface ConsulClient {
  /** One question at a time. @throws whatever happened; see faultOf. */
  ask(question: Question): Promise<Answer>;
  /** Ends the question under way, which fails. */
  close(): void;
}

/** Larger answers are cut off, in bytes: about 100,000 instances. */
const mostBytes = 64 * 1024 * 1024;

/**
 * @param patience milliseconds for an answer, beside what Consul is asked to wait.
 */
export async function connectConsul(
  { address, service, datacenter, tags, serverName }: ConsulSource,
  { token, ca }: ConsulSecrets,
  patience: number,
): Promise<ConsulClient> {
  // Loaded only here: most gateways never ask a Consul.
  const { default: Consul } = await import('consul');
  let current: EventEmitter | undefined;
  let closed = false;
  const agent = createAgent(address, { ca, servername: serverName }, () => current?.emit('cancel'));
  const secure = address.protocol === 'https:';
  const client = new Consul({
    host: address.hostname,
    port: Number(address.port) || (secure ? 443 : 80),
    secure,
    agent,
  });

  return {
    async ask({ passing, after }) {
      // What the package calls a context: it ends the request, and asks for the response beside the body.
      const context = Object.assign(new EventEmitter(), {
        includeResponse: true,
        canceled: closed,
      });
      current = context;
      const options = {
        service,
        ctx: context,
        timeout: patience + (after?.wait ?? 0),
        ...(datacenter === undefined ? {} : { dc: datacenter }),
        ...(token === undefined ? {} : { token }),
        ...(passing ? { passing, ...(tags.length === 0 ? {} : { tag: tags }) } : {}),
        ...(after === undefined
          ? {}
          : { index: String(after.index), wait: `${Math.round(after.wait)}ms` }),
      };
      try {
        // The types of the package know a part of what it takes and gives.
        const asked: unknown = await client.health.service(options as { service: string });
        const [response, body] = asked as [IncomingMessage, unknown];
        const { headers } = response;
        return {
          index: indexOf(headers['x-consul-index']),
          body,
          filtered: headers['x-consul-results-filtered-by-acls'] === 'true',
          deniesByDefault: headers['x-consul-default-acl-policy'] === 'deny',
        };
      } finally {
        current = undefined;
      }
    },
    close() {
      closed = true;
      current?.emit('cancel');
      agent.destroy();
    },
  };
}

function indexOf(value: string | string[] | undefined): bigint {
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : 0n;
}

/**
 * One connection at a time. The package does not notice one that breaks while an answer comes, cannot
 * connect to an IPv6 address in a URL, and has no limit for what it reads.
 */
function createAgent(
  { protocol, hostname }: URL,
  { ca, servername }: { ca: string | undefined; servername: string | undefined },
  onBroken: () => void,
) {
  const options = { keepAlive: true, maxSockets: 1 };
  const agent =
    protocol === 'https:'
      ? new SecureAgent({
          ...options,
          ...(ca === undefined ? {} : { ca }),
          ...(servername === undefined ? {} : { servername }),
        })
      : new PlainAgent(options);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (args: ClientRequestArgs, ...rest) => {
    const socket = connect({ ...args, host, hostname: host } as ClientRequestArgs, ...rest);
    if (socket) guard(socket as Socket, onBroken);
    return socket;
  };
  return agent;
}

function guard(socket: Socket, onBroken: () => void): void {
  socket.once('close', onBroken);
  let before = 0;
  let writes = 0;
  socket.on('data', () => {
    // Each question is one write more.
    if (socket.bytesWritten !== writes) {
      writes = socket.bytesWritten;
      before = socket.bytesRead;
    } else if (socket.bytesRead - before > mostBytes) socket.destroy();
  });
}
