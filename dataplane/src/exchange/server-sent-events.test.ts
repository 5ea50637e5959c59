import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule } from '../testing/snapshot.ts';

/** A stream of events as the backend sees it. */
type Source = { request: IncomingMessage; response: ServerResponse };

/** The same as a client sees it. */
type Reader = {
  /** Waits for the head. */
  type: Promise<string | undefined>;
  /** What has come. */
  text: string;
  /** How it ended. */
  end: 'whole' | 'cut' | undefined;
  leave(): void;
};

type Client = { read(path: string): Reader; close(): void };

const fields = { accept: 'text/event-stream', 'last-event-id': '41' };
const hour = 3_600_000;

let sources: Source[];
let gateway: TestGateway;
let client: Client;

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
  sources.push({ request, response });
});

beforeEach(async () => {
  sources = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const rule = (prefix: string, idle: number) =>
    forwardRule('events', { prefix, timeouts: { backendRequest: 60_000, idle } });
  gateway = await startGateway({
    rules: [rule('/half', hour / 2), rule('/two', 2 * hour)],
    upstreams: { events: { endpoints: [{ port }] } },
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  client.close();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await gateway.close();
  await closed;
});

/** Lets time pass at once, for whoever reads the clock. */
function pass(milliseconds: number) {
  const real = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => real() + milliseconds);
}

function follow(stream: NodeJS.ReadableStream, reader: Reader) {
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => {
    reader.text += part;
  });
  stream.on('end', () => {
    reader.end ??= 'whole';
  });
  for (const name of ['error', 'aborted']) {
    stream.on(name, () => {
      reader.end = 'cut';
    });
  }
}

function clientOfHttp1(port: number): Client {
  const leave: (() => void)[] = [];
  return {
    read(path) {
      const asked = request({ host: '127.0.0.1', port, path, agent: false, headers: fields });
      const type = Promise.withResolvers<string | undefined>();
      const reader: Reader = {
        type: type.promise,
        text: '',
        end: undefined,
        leave: () => void asked.destroy(),
      };
      leave.push(reader.leave);
      asked.on('error', type.reject);
      asked.on('response', (response) => {
        follow(response, reader);
        type.resolve(response.headers['content-type']);
      });
      asked.end();
      return reader;
    },
    close: () => leave.forEach((each) => void each()),
  };
}

function clientOfHttp2(port: number): Client {
  const session = connect(`http://127.0.0.1:${port}`);
  return {
    read(path) {
      const stream = session.request({ ':path': path, ...fields });
      const type = Promise.withResolvers<string | undefined>();
      const reader: Reader = {
        type: type.promise,
        text: '',
        end: undefined,
        leave: () => void stream.close(8),
      };
      stream.on('response', (head) => type.resolve(head['content-type']));
      stream.on('error', type.reject);
      follow(stream, reader);
      return reader;
    },
    close: () => session.destroy(),
  };
}

async function open(path = '/two') {
  const reader = client.read(path);
  expect(await reader.type).toBe('text/event-stream');
  const source = sources.at(-1) as Source;
  return { reader, ...source };
}

describe.each([
  ['HTTP/1.1', clientOfHttp1],
  ['HTTP/2', clientOfHttp2],
])('events for a client that speaks %s', (_, start) => {
  beforeEach(() => {
    client = start(gateway.port);
  });

  it('arrive one by one', async () => {
    const { reader, request, response } = await open();
    expect(request.headers).toMatchObject(fields);
    let sent = '';
    for (let id = 42; id < 47; id++) {
      const event = `id: ${id}\ndata: {"price": ${id}}\n\n`;
      response.write(event);
      sent += event;
      await expect.poll(() => reader.text, patient).toBe(sent);
    }
    response.end();
    await expect.poll(() => reader.end, patient).toBe('whole');
  });

  it('may be an hour apart, as far as timeouts.idle says so', async () => {
    const { reader, response } = await open('/two');
    const { reader: other } = await open('/half');
    pass(hour);
    await vi.waitFor(() => expect(other.end).toBe('cut'), patient);
    response.write('data: late\n\n');
    await vi.waitFor(() => expect(reader.text).toBe('data: late\n\n'), patient);
    expect(reader.end).toBeUndefined();
  });

  it('are asked for no longer when it goes away', async () => {
    const { reader, response } = await open();
    response.write('data: 1\n\n');
    await expect.poll(() => reader.text, patient).toBe('data: 1\n\n');
    const gone = new Promise((resolve) => response.once('close', resolve));
    reader.leave();
    await gone;
    expect(response.writableFinished).toBe(false);
  });

  it('that break off are not taken for all', async () => {
    const { reader, response } = await open();
    response.write('data: 1\n\n');
    await expect.poll(() => reader.text, patient).toBe('data: 1\n\n');
    response.destroy();
    await expect.poll(() => reader.end, patient).toBe('cut');
  });
});
