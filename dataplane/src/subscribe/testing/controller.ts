// @peculiar/x509 does not load without it.
import 'reflect-metadata';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import {
  type Ack,
  difference,
  type FromDataPlane,
  type Hello,
  type Lane,
  manifestOf,
  type Nack,
  type ResourceSet,
  Snapshots,
  splitKey,
  type Update,
  UpdateSchema,
  versionOf,
} from '@gatehouse/snapshot';
import {
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate for 127.0.0.1 that is its own authority. */
export async function testCertificate(): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const cert = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=test controller',
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const key = PemConverter.encode(pkcs8, PemConverter.PrivateKeyTag);
  return { cert: cert.toString('pem'), key };
}

/** One stream as the test sees it: it reads what the data plane says and says what it likes. */
export interface TestStream {
  authorization: string | null;
  hello: Hello;
  send(update: Update): void;
  /** The next answer of the data plane. */
  answer(): Promise<Ack | Nack>;
  end(code: Code): void;
}

/** A controller that does nothing by itself. */
export async function testController(pem: { cert: string; key: string }, port = 0) {
  const streams = queue<TestStream>();
  const sockets = new Set<Socket>();
  async function* subscribe(
    requests: AsyncIterable<FromDataPlane>,
    { requestHeader }: { requestHeader: Headers },
  ): AsyncGenerator<Update> {
    const messages = requests[Symbol.asyncIterator]();
    const first = await messages.next();
    if (first.done || first.value.message.case !== 'hello') throw new Error('no hello');
    const outgoing = queue<Update | Code>();
    const answers = queue<Ack | Nack>();
    const read = async () => {
      for (let next = await messages.next(); !next.done; next = await messages.next()) {
        const { message } = next.value;
        if (message.case === 'ack' || message.case === 'nack') answers.push(message.value);
      }
    };
    read().catch(() => outgoing.push(Code.Canceled));
    streams.push({
      authorization: requestHeader.get('authorization'),
      hello: first.value.message.value,
      send: outgoing.push,
      answer: answers.next,
      end: outgoing.push,
    });
    for (;;) {
      const next = await outgoing.next();
      if (typeof next === 'number') throw new ConnectError('ended by the test', next);
      yield next;
    }
  }
  const adapter = connectNodeAdapter({
    routes: (router) => router.rpc(Snapshots.method.subscribe, subscribe),
  });
  const server = createSecureServer(pem, adapter);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  return {
    port: bound,
    url: `https://127.0.0.1:${bound}`,
    stream: streams.next,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

/** The update from one set to another; the whole of the other when the first is undefined. */
export function updateOf(lane: Lane, from: ResourceSet | undefined, to: ResourceSet): Update {
  const { put, remove } = difference(manifestOf(from ?? new Map()), to);
  const version = versionOf(to);
  const keys = remove.map(splitKey);
  return create(UpdateSchema, { lane, version, full: from === undefined, put, remove: keys });
}

function queue<T>() {
  const items: T[] = [];
  const takers: ((item: T) => void)[] = [];
  return {
    push(item: T) {
      const taker = takers.shift();
      if (taker) taker(item);
      else items.push(item);
    },
    next(): Promise<T> {
      const item = items.shift();
      return item === undefined
        ? new Promise((resolve) => takers.push(resolve))
        : Promise.resolve(item);
    },
  };
}
