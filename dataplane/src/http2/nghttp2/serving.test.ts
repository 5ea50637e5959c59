import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { Recorded, type Served, serveNode } from './testing.ts';

let served: Served | undefined;
afterEach(async () => {
  await served?.close();
  served = undefined;
});

type Answer = {
  fields: IncomingHttpHeaders & { ':status'?: number };
  body: string;
  bytes: number;
  trailers: IncomingHttpHeaders | undefined;
  interims: number[];
  code: number;
};

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const answer: Answer = {
    fields: {},
    body: '',
    bytes: 0,
    trailers: undefined,
    interims: [],
    code: 0,
  };
  stream.on('response', (fields) => Object.assign(answer.fields, fields));
  stream.on('headers', (fields) => answer.interims.push(fields[':status'] ?? 0));
  stream.on('trailers', (fields) => {
    answer.trailers = { ...fields };
  });
  stream.on('data', (chunk: Buffer) => {
    answer.bytes += chunk.length;
    if (answer.bytes < 100_000) answer.body += chunk.toString('latin1');
  });
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.on('close', resolve));
  answer.code = stream.rstCode ?? 0;
  return answer;
}

/** Serves every stream by `whole` once its message is complete. */
async function serve(whole: (recorded: Recorded) => void, limits = {}) {
  const all: Recorded[] = [];
  served = await serveNode((stream) => {
    const recorded = new Recorded();
    recorded.stream = stream;
    recorded.onWhole = () => whole(recorded);
    all.push(recorded);
    return recorded;
  }, limits);
  return { all, client: served.client, session: served.session };
}

const nothing = Buffer.alloc(0);

test('a request is text of HTTP/1.1 with offsets', async () => {
  const { all, client } = await serve((it) =>
    it.stream?.respond(200, 'X-One:  1 \r\n', nothing, true),
  );
  const answer = await answerOf(
    client.request({
      ':path': '/a?b',
      ':authority': 'example.com',
      accept: '*/*',
      cookie: ['a=1', 'b=2'],
    }),
  );
  expect(all[0]?.heads[0]).toBe(
    'GET /a?b HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\ncookie: a=1; b=2\r\n',
  );
  expect(all[0]?.fields[0]).toEqual(['host', 'example.com', 'accept', '*/*', 'cookie', 'a=1; b=2']);
  expect(answer.fields).toMatchObject({ ':status': 200, 'x-one': '1' });
});

test('fields that speak of a connection are not sent', async () => {
  const lines =
    'connection: x\r\nKeep-Alive: 1\r\nupgrade: a\r\ntransfer-encoding: chunked\r\n' +
    'proxy-connection: a\r\nte: gzip\r\nhost: a\r\na: b\r\n';
  const { client } = await serve((it) => it.stream?.respond(204, lines, nothing, true));
  const answer = await answerOf(client.request({ ':path': '/' }));
  expect(Object.keys(answer.fields)).toEqual([':status', 'a']);
});

test('bodies both ways, trailers both ways', async () => {
  const { all, client } = await serve((it) => {
    it.stream?.respond(200, 'a: b\r\n', Buffer.from('answer '), false);
    it.stream?.write(Buffer.from('more'), false);
    it.stream?.trailers('X-End: yes\r\nx-end: no\r\n');
  });
  const request = client.request({ ':path': '/', ':method': 'POST' }, { waitForTrailers: true });
  request.on('wantTrailers', () => request.sendTrailers({ 'x-sum': '1' }));
  request.end('question');
  const answer = await answerOf(request);
  expect(all[0]).toMatchObject({ body: 'question', trailers: ['x-sum', '1'] });
  expect(answer.body).toBe('answer more');
  expect(answer.trailers).toMatchObject({ 'x-end': 'yes, no' });
});

test('interim responses', async () => {
  const { client } = await serve((it) => {
    it.stream?.interim(103, 'link: </a>\r\n');
    it.stream?.respond(200, '', nothing, true);
  });
  const answer = await answerOf(client.request({ ':path': '/' }));
  expect([answer.interims, answer.fields[':status']]).toEqual([[103], 200]);
});

test('a large response waits for the window', async () => {
  const { all, client, session } = await serve((it) => {
    let left = 100;
    const piece = Buffer.alloc(100_000, 'x');
    it.onRoom = () => {
      while (left > 0) {
        left--;
        if (it.stream?.write(piece, left === 0) === false) return;
      }
    };
    it.stream?.respond(200, '', nothing, false);
    it.onRoom();
  });
  const request = client.request({ ':path': '/' });
  request.pause();
  await new Promise((resolve) => request.on('response', resolve));
  await expect.poll(() => session.allocated).toBeGreaterThan(32_768);
  expect(session.allocated).toBeLessThan(1_000_000);
  const answered = answerOf(request);
  request.resume();
  const answer = await answered;
  expect(answer.bytes).toBe(10_000_000);
  expect(all[0]?.writable).toBeGreaterThan(10);
});

test('a request that nobody reads stops at its window', async () => {
  const { all, client } = await serve((it) => it.stream?.respond(200, '', nothing, true));
  const request = client.request({ ':path': '/', ':method': 'POST' });
  request.on('error', () => undefined);
  request.write(Buffer.alloc(50_000));
  await expect.poll(() => all[0]?.bytes).toBe(50_000);
  all[0]?.stream?.pause();
  request.end(Buffer.alloc(1_000_000));
  const other = client.request({ ':path': '/other' });
  await answerOf(other);
  expect(all[0]?.bytes).toBe(50_000);
  all[0]?.stream?.resume();
  await answerOf(request);
  expect(all[0]?.bytes).toBe(1_050_000);
});

test('a message that is complete is still taken when its stream has closed', async () => {
  const { all, client } = await serve(() => undefined);
  const request = client.request({ ':path': '/', ':method': 'POST' });
  const answered = answerOf(request);
  await expect.poll(() => all.length).toBe(1);
  all[0]?.stream?.pause();
  all[0]?.stream?.respond(200, '', nothing, true);
  request.end('late');
  await answered;
  await expect.poll(() => all[0]?.stream?.closed).toBe(true);
  expect([all[0]?.body, all[0]?.ended, all[0]?.code]).toEqual(['', false, undefined]);
  all[0]?.stream?.resume();
  await expect.poll(() => [all[0]?.body, all[0]?.ended, all[0]?.code]).toEqual(['late', true, 0]);
});

test('resets from both sides', async () => {
  const { all, client } = await serve(() => undefined);
  const one = client.request({ ':path': '/', ':method': 'POST' });
  const two = client.request({ ':path': '/', ':method': 'POST' });
  const answers = Promise.all([answerOf(one), answerOf(two)]);
  await expect.poll(() => all.length).toBe(2);
  one.close(constants.NGHTTP2_CANCEL);
  all[1]?.stream?.reset(constants.NGHTTP2_REFUSED_STREAM);
  expect((await answers).map(({ code }) => code)).toEqual([8, 7]);
  expect(await all[0]?.closed).toBe(8);
  expect(await all[1]?.closed).toBe(7);
});

test('the rest of a request is refused behind the response (RFC 9113 section 8.1)', async () => {
  const { all, client } = await serve(() => undefined);
  const request = client.request({ ':path': '/', ':method': 'POST' });
  const answered = answerOf(request);
  await expect.poll(() => all.length).toBe(1);
  all[0]?.stream?.respond(413, '', Buffer.alloc(200_000, 'a'), true);
  all[0]?.stream?.refuseRest();
  const answer = await answered;
  expect([answer.fields[':status'], answer.bytes, answer.code]).toEqual([413, 200_000, 0]);
});

test('a response that is cut behind what there is of it', async () => {
  const { client } = await serve((it) => {
    it.stream?.respond(200, '', Buffer.from('first '), false);
    it.stream?.write(Buffer.from('second'), false);
    it.stream?.cut(constants.NGHTTP2_INTERNAL_ERROR);
  });
  const answer = await answerOf(client.request({ ':path': '/' }));
  expect([answer.body, answer.code]).toEqual(['first second', constants.NGHTTP2_INTERNAL_ERROR]);
});

test('1,000 streams at once', async () => {
  const waiting: Recorded[] = [];
  const { client } = await serve((it) => {
    waiting.push(it);
    if (waiting.length < 1000) return;
    for (const one of waiting) one.stream?.respond(200, '', Buffer.from('ok'), true);
  });
  const requests = Array.from({ length: 1000 }, () => answerOf(client.request({ ':path': '/' })));
  const answers = await Promise.all(requests);
  expect(answers.every(({ body }) => body === 'ok')).toBe(true);
});

test('heads in CONTINUATION frames', async () => {
  const { all, client } = await serve((it) =>
    it.stream?.respond(200, `b: ${'y'.repeat(60_000)}\r\n`, nothing, true),
  );
  const answer = await answerOf(client.request({ ':path': '/', a: 'x'.repeat(40_000) }));
  expect(all[0]?.fields[0]).toContain('x'.repeat(40_000));
  expect(answer.fields.b).toHaveLength(60_000);
});

test('a head with too many fields is refused', async () => {
  const { all, client } = await serve(() => undefined, { mostFields: 10 });
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, '1']));
  const answer = await answerOf(client.request({ ':path': '/', ...fields }));
  expect([answer.code, all.length]).toEqual([constants.NGHTTP2_ENHANCE_YOUR_CALM, 0]);
});

test('streams are announced to end, and the connection ends behind them', async () => {
  const { all, client, session } = await serve(() => undefined);
  const answered = answerOf(client.request({ ':path': '/' }));
  await expect.poll(() => all.length).toBe(1);
  const goaways: number[] = [];
  client.on('goaway', (_code, last) => goaways.push(last));
  session.notice();
  session.close();
  await expect.poll(() => goaways.length).toBeGreaterThan(0);
  all[0]?.stream?.respond(200, '', Buffer.from('last'), true);
  expect((await answered).body).toBe('last');
  await expect.poll(() => session.closed).toBe(true);
});

test('an owner that throws costs its connection', async () => {
  const { client, session } = await serve(() => {
    throw new Error('a bug');
  });
  await answerOf(client.request({ ':path': '/' }));
  expect(session.closed).toBe(true);
});
